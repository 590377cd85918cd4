// The Docker plug-in of Pulumi: Terraform's Docker provider behind Pulumi's bridge, with the
// names and types of the pulumi-docker Python package. All resources but docker.Image, which
// is no part of the Terraform provider; RemoteImage builds images too.
package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/dockerprovider"
)

// version of the Python package; the linker sets it.
var version = "0.0.0"

// same keeps a name that the bridge would make plural because it holds a list.
func same(name string) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Name: name}
}

func defaultHost(context.Context, tfbridge.ComputeDefaultOptions) (any, error) {
	return "unix:///var/run/docker.sock", nil
}

func main() {
	info := tfbridge.ProviderInfo{
		P:            sdkv2.NewProvider(dockerprovider.New(version)),
		Name:         "docker",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(nil),
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				EnvVars:        []string{"DOCKER_HOST"},
				ComputeDefault: defaultHost,
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: tfbridge.MakeResource("docker", "index", "ServiceConfig")},
			"docker_image": {
				Tok:    tfbridge.MakeResource("docker", "index", "RemoteImage"),
				Fields: map[string]*tfbridge.SchemaInfo{"name": same("name")},
			},
			"docker_container": {
				Tok: tfbridge.MakeResource("docker", "index", "Container"),
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           same("command"),
					"networks_advanced": same("networksAdvanced"),
				},
				DeleteBeforeReplace: true, // Docker gives a name and a port to one container only
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: tfbridge.MakeDataSource("docker", "index", "getRemoteImage")},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	info.SetAutonaming(255, "-")
	// A schema is for making packages from; the Python package is made already.
	schema := fmt.Sprintf(`{"name": "docker", "version": %q}`, version)
	tfbridge.Main("docker", version, info, []byte(schema))
}
