// Package dockerprovider hands out Terraform's Docker provider, which its authors keep in an
// internal package: Go opens that to import paths below the provider's own, so this has one.
package dockerprovider

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// New makes the provider that calls itself version.
func New(version string) *schema.Provider {
	return provider.New(version)()
}
