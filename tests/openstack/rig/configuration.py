"""What the services of the rig are told: their own files, in their own words.

One machine, software emulation, root everywhere, no more workers than needed: as small as a whole
OpenStack gets. Debian 12's release is Zed.
"""

from __future__ import annotations

import configparser
import io
from collections.abc import Mapping
from typing import Final

from tests.openstack.rig.place import BRIDGE, HOST, LOOPBACK, Place, Sections
from tests.openstack.rig.supervisor import supervisor


def files(place: Place) -> dict[str, str]:
    """Path in the container to content, of all that the services read."""
    nova = _nova(place)
    written = {
        "/etc/keystone/keystone.conf": _keystone(place),
        "/etc/glance/glance-api.conf": _glance(place),
        "/etc/placement/placement.conf": _placement(place),
        "/etc/nova/nova.conf": nova,
        # nova-compute refuses to start when it can see a database.
        "/etc/nova/nova-compute.conf": {
            name: options for name, options in nova.items() if name not in ("database", "api_database")
        },
        "/etc/neutron/neutron.conf": _neutron(place),
        "/etc/neutron/plugins/ml2/ml2_conf.ini": _ml2(),
        "/etc/neutron/l3_agent.ini": {"DEFAULT": {"interface_driver": "linuxbridge"}},
        "/etc/neutron/dhcp_agent.ini": {
            "DEFAULT": {
                "interface_driver": "linuxbridge",
                "dhcp_driver": "neutron.agent.linux.dhcp.Dnsmasq",
                "enable_isolated_metadata": True,
            }
        },
        "/etc/neutron/metadata_agent.ini": {
            "DEFAULT": {
                "nova_metadata_host": LOOPBACK,
                "metadata_proxy_shared_secret": place.password,
                "metadata_workers": 0,
            }
        },
        "/etc/cinder/cinder.conf": _cinder(place),
        "/etc/supervisor/supervisord.conf": supervisor(place),
    }
    return {path: _ini(sections) for path, sections in written.items()} | {
        "/etc/cinder/nfs_shares": f"{LOOPBACK}:/srv/cinder\n",
        "/etc/libvirt/qemu.conf": _QEMU_CONF,
        "/etc/rabbitmq/rabbitmq-env.conf": _RABBIT_ENV,
    }


_QEMU_CONF: Final = """\
# In a container there is neither another user nor a mount namespace to give qemu: attaching a volume would
# end in "No such file".
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
security_default_confined = 0
namespaces = []
cgroup_controllers = []
"""

_RABBIT_ENV: Final = """\
NODENAME=rabbit@localhost
NODE_IP_ADDRESS=127.0.0.1
SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +sbwt none"
"""


def _keystone(place: Place) -> Sections:
    return {
        "DEFAULT": {"use_stderr": True},
        "database": _database("keystone", place),
        "token": {"provider": "fernet", "expiration": 86400},
        "cache": {
            "enabled": True,
            "backend": "dogpile.cache.memcached",
            "memcache_servers": f"{LOOPBACK}:11211",
        },
    }


def _glance(place: Place) -> Sections:
    return {
        "DEFAULT": {"bind_host": "0.0.0.0", "workers": 0, "enabled_backends": "store:file"},
        "database": _database("glance", place),
        "paste_deploy": {"flavor": "keystone", "config_file": "/etc/glance/glance-api-paste.ini"},
        "glance_store": {"default_backend": "store"},
        "store": {"filesystem_store_datadir": "/var/lib/glance/images/"},
        "keystone_authtoken": _token_check("glance", place),
    }


def _placement(place: Place) -> Sections:
    return {
        "placement_database": _database("placement", place),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": _token_check("placement", place),
    }


def _nova(place: Place) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": _queue(place),
            "my_ip": place.address,
            "host": HOST,
            "osapi_compute_listen": "0.0.0.0",
            "metadata_listen": LOOPBACK,
            "osapi_compute_workers": 1,
            "metadata_workers": 1,
            "enabled_apis": "osapi_compute,metadata",
            "state_path": "/var/lib/nova",
            "api_paste_config": "/etc/nova/api-paste.ini",
            "compute_driver": "libvirt.LibvirtDriver",
            "force_raw_images": False,
            "reserved_host_memory_mb": 0,
            "reserved_host_disk_mb": 0,
            "ram_allocation_ratio": 4.0,
            "disk_allocation_ratio": 20.0,
            "cpu_allocation_ratio": 16.0,
        },
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 5},
        "api": {"auth_strategy": "keystone"},
        "api_database": _database("nova", place, "nova_api"),
        "database": _database("nova", place),
        "oslo_concurrency": {"lock_path": "/var/lib/nova/tmp"},
        "glance": {"api_servers": f"http://{place.address}:9292"},
        "libvirt": {
            # KVM inside of virtual machines hangs guests on some clouds; emulation runs everywhere.
            "virt_type": "qemu",
            "cpu_mode": "custom",
            "cpu_models": "Nehalem",
            "tb_cache_size": 1024,
            "nfs_mount_point_base": "/var/lib/nova/mnt",
            "swtpm_enabled": False,
        },
        "vnc": {"enabled": False},
        "spice": {"enabled": False},
        "service_user": _client("nova", place, send_service_user_token=True),
        "placement": _client("placement", place),
        "cinder": _client("cinder", place, os_region_name="RegionOne"),
        "neutron": _client(
            "neutron", place, service_metadata_proxy=True, metadata_proxy_shared_secret=place.password
        ),
        "keystone_authtoken": _token_check("nova", place),
    }


def _neutron(place: Place) -> Sections:
    return {
        "DEFAULT": {
            "core_plugin": "ml2",
            "service_plugins": "router",
            "transport_url": _queue(place),
            "bind_host": "0.0.0.0",
            "api_workers": 1,
            "rpc_workers": 1,
            "rpc_state_report_workers": 0,
            "host": HOST,
            "api_paste_config": "/etc/neutron/api-paste.ini",
            "state_path": "/var/lib/neutron",
            "dhcp_agents_per_network": 1,
            "notify_nova_on_port_status_changes": True,
            "notify_nova_on_port_data_changes": True,
            "send_events_interval": 0,
        },
        "experimental": {"linuxbridge": True},
        "agent": {
            "root_helper": "sudo neutron-rootwrap /etc/neutron/rootwrap.conf",
            "root_helper_daemon": "sudo neutron-rootwrap-daemon /etc/neutron/rootwrap.conf",
            "polling_interval": 1,
        },
        "database": _database("neutron", place),
        "oslo_concurrency": {"lock_path": "/var/lib/neutron/tmp"},
        "nova": _client("nova", place),
        "placement": _client("placement", place),
        "keystone_authtoken": _token_check("neutron", place),
    }


def _ml2() -> Sections:
    return {
        "ml2": {
            "type_drivers": "flat,local",
            # One node: a bridge for each network is all that is needed.
            "tenant_network_types": "local",
            # Kernels without Open vSwitch have bridges.
            "mechanism_drivers": "linuxbridge",
            "extension_drivers": "port_security",
        },
        "ml2_type_flat": {"flat_networks": "public"},
        "securitygroup": {
            "enable_ipset": True,
            "enable_security_group": True,
            "firewall_driver": "iptables",
        },
        "linux_bridge": {"bridge_mappings": f"public:{BRIDGE}"},
        "vxlan": {"enable_vxlan": False},
    }


def _cinder(place: Place) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": _queue(place),
            "auth_strategy": "keystone",
            "osapi_volume_listen": "0.0.0.0",
            "osapi_volume_workers": 1,
            "my_ip": place.address,
            "host": HOST,
            "api_paste_config": "/etc/cinder/api-paste.ini",
            "state_path": "/var/lib/cinder",
            "enabled_backends": "nfs",
            "default_volume_type": "rbd1",
            "glance_api_servers": f"http://{place.address}:9292",
            "rootwrap_config": "/etc/cinder/rootwrap.conf",
        },
        "database": _database("cinder", place),
        # Files on a share: the one backend that wants neither device mapper nor iSCSI of the kernel.
        "nfs": {
            "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
            "volume_backend_name": "nfs",
            "nfs_shares_config": "/etc/cinder/nfs_shares",
            "nfs_mount_point_base": "/var/lib/cinder/mnt",
            "nfs_sparsed_volumes": True,
            "nas_secure_file_operations": False,
            "nas_secure_file_permissions": False,
            "nfs_snapshot_support": True,
        },
        "oslo_concurrency": {"lock_path": "/var/lib/cinder/tmp"},
        "service_user": _client("cinder", place, send_service_user_token=True),
        "nova": _client("nova", place),
        "keystone_authtoken": _token_check("cinder", place),
    }


def _database(user: str, place: Place, name: str | None = None) -> Mapping[str, object]:
    return {"connection": f"mysql+pymysql://{user}:{place.password}@{LOOPBACK}/{name or user}"}


def _queue(place: Place) -> str:
    return f"rabbit://openstack:{place.password}@{LOOPBACK}:5672/"


def _client(user: str, place: Place, **more: object) -> Mapping[str, object]:
    """How a service signs in to another."""
    return {
        "auth_url": f"http://{place.address}:5000",
        "auth_type": "password",
        "project_domain_name": "Default",
        "user_domain_name": "Default",
        "project_name": "service",
        "username": user,
        "password": place.password,
        "region_name": "RegionOne",
        **more,
    }


def _token_check(user: str, place: Place) -> Mapping[str, object]:
    """How a service asks whether a caller's token is good."""
    return _client(
        user,
        place,
        www_authenticate_uri=f"http://{place.address}:5000",
        memcached_servers=f"{LOOPBACK}:11211",
        service_token_roles="service",
        # Without it cinder refuses to detach a volume (CVE-2023-2088).
        service_token_roles_required=True,
    )


def _ini(sections: Sections) -> str:
    parser = configparser.RawConfigParser(default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()
