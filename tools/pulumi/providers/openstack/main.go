// The OpenStack plug-in of Pulumi: Terraform's OpenStack provider behind Pulumi's bridge, with
// the names of the pulumi-openstack Python package, for the resources that a cyberhub may need.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/v3/openstack"
)

// version of the Python package; the linker sets it.
var version = "0.0.0"

// Module and type in Python, then Terraform's name without "openstack_". The names of the one
// do not follow from those of the other: Terraform's carry the version of OpenStack's interface.
var resources = [][3]string{
	{"blockstorage", "Volume", "blockstorage_volume_v3"},
	{"compute", "Instance", "compute_instance_v2"},
	{"compute", "Keypair", "compute_keypair_v2"},
	{"compute", "VolumeAttach", "compute_volume_attach_v2"},
	{"dns", "RecordSet", "dns_recordset_v2"},
	{"dns", "Zone", "dns_zone_v2"},
	{"networking", "FloatingIp", "networking_floatingip_v2"},
	{"networking", "FloatingIpAssociate", "networking_floatingip_associate_v2"},
	{"networking", "Network", "networking_network_v2"},
	{"networking", "Port", "networking_port_v2"},
	{"networking", "PortSecGroupAssociate", "networking_port_secgroup_associate_v2"},
	{"networking", "Router", "networking_router_v2"},
	{"networking", "RouterInterface", "networking_router_interface_v2"},
	{"networking", "SecGroup", "networking_secgroup_v2"},
	{"networking", "SecGroupRule", "networking_secgroup_rule_v2"},
	{"networking", "Subnet", "networking_subnet_v2"},
}

var functions = [][3]string{
	{"blockstorage", "getVolumeV3", "blockstorage_volume_v3"},
	{"compute", "getFlavor", "compute_flavor_v2"},
	{"compute", "getInstanceV2", "compute_instance_v2"},
	{"compute", "getKeypair", "compute_keypair_v2"},
	{"dns", "getDnsZone", "dns_zone_v2"},
	{"identity", "getAuthScope", "identity_auth_scope_v3"},
	{"images", "getImage", "images_image_v2"},
	{"networking", "getFloatingIp", "networking_floatingip_v2"},
	{"networking", "getNetwork", "networking_network_v2"},
	{"networking", "getSecGroup", "networking_secgroup_v2"},
	{"networking", "getSubnet", "networking_subnet_v2"},
}

func main() {
	info := tfbridge.ProviderInfo{
		P:            sdkv2.NewProvider(openstack.Provider()),
		Name:         "openstack",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(nil),
		Resources:    map[string]*tfbridge.ResourceInfo{},
		DataSources:  map[string]*tfbridge.DataSourceInfo{},
	}
	for _, r := range resources {
		info.Resources["openstack_"+r[2]] = &tfbridge.ResourceInfo{
			Tok: tfbridge.MakeResource("openstack", r[0], r[1]),
		}
	}
	for _, f := range functions {
		info.DataSources["openstack_"+f[2]] = &tfbridge.DataSourceInfo{
			Tok: tfbridge.MakeDataSource("openstack", f[0], f[1]),
		}
	}
	info.Resources["openstack_networking_subnet_v2"].Fields = map[string]*tfbridge.SchemaInfo{
		"allocation_pool": {Name: "allocationPools"},
	}
	info.SetAutonaming(255, "-")
	// A schema is for making packages from; the Python package is made already.
	schema := fmt.Sprintf(`{"name": "openstack", "version": %q}`, version)
	tfbridge.Main("openstack", version, info, []byte(schema))
}
