"""Networks, ports, addresses and the firewall."""

from __future__ import annotations

from typing import Any

from tests.clouds.fake_openstack.cloud import Json, RefusedError
from tests.clouds.fake_openstack.service import Service, route


class Networks(Service):
    """Neutron."""

    @route("GET", r"/network/v2.0/networks")
    def list_networks(self, query: dict[str, str], **_: Any) -> Json:
        def fits(network: Json) -> bool:
            outside = query.get("router:external")
            return (
                query.get("name", network["name"]) == network["name"]
                and query.get("id", network["id"]) == network["id"]
                and query.get("tenant_id", network["tenant_id"]) == network["tenant_id"]
                and (outside is None or (outside.lower() == "true") == network["router:external"])
            )

        return {"networks": [n for n in self.cloud.networks.values() if fits(n)]}

    @route("POST", r"/network/v2.0/security-groups")
    def make_group(self, body: Json, **_: Any) -> Json:
        made = {
            "tags": [],
            "stateful": True,
            **self.made(body["security_group"]),
            "security_group_rules": [],
        }
        self.cloud.groups[made["id"]] = made
        for version in ("IPv4", "IPv6"):
            self._add_rule({"security_group_id": made["id"], "direction": "egress", "ethertype": version})
        return {"security_group": made}

    @route("GET", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def group(self, identity: str, **_: Any) -> Json:
        return {"security_group": self.get(self.cloud.groups, identity)}

    @route("PUT", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def change_group(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.groups, identity).update(body["security_group"])
        return self.group(identity)

    @route("DELETE", r"/network/v2.0/security-groups/(?P<identity>[^/]+)")
    def remove_group(self, identity: str, **_: Any) -> None:
        used = any(identity in port["security_groups"] for port in self.cloud.ports.values())
        if used:
            raise RefusedError(
                409, {"NeutronError": {"type": "SecurityGroupInUse", "message": "in use", "detail": ""}}
            )
        self.get(self.cloud.groups, identity)
        del self.cloud.groups[identity]
        for rule in [r for r, v in self.cloud.rules.items() if v["security_group_id"] == identity]:
            del self.cloud.rules[rule]

    def _add_rule(self, rule: Json) -> Json:
        usual = {
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
            "remote_ip_prefix": None,
            "remote_group_id": None,
            "description": "",
        }
        made = {**usual, **self.made(rule)}
        same = [
            {k: v for k, v in r.items() if k not in ("id", "description")} for r in self.cloud.rules.values()
        ]
        if {k: v for k, v in made.items() if k not in ("id", "description")} in same:
            raise RefusedError(
                409, {"NeutronError": {"type": "SecurityGroupRuleExists", "message": "exists", "detail": ""}}
            )
        self.cloud.rules[made["id"]] = made
        return made

    @route("POST", r"/network/v2.0/security-group-rules")
    def make_rule(self, body: Json, **_: Any) -> Json:
        return {"security_group_rule": self._add_rule(body["security_group_rule"])}

    @route("GET", r"/network/v2.0/security-group-rules/(?P<identity>[^/]+)")
    def rule(self, identity: str, **_: Any) -> Json:
        return {"security_group_rule": self.get(self.cloud.rules, identity)}

    @route("DELETE", r"/network/v2.0/security-group-rules/(?P<identity>[^/]+)")
    def remove_rule(self, identity: str, **_: Any) -> None:
        self.get(self.cloud.rules, identity)
        del self.cloud.rules[identity]

    @route("POST", r"/network/v2.0/ports")
    def make_port(self, body: Json, **_: Any) -> Json:
        usual: Json = {
            "status": "DOWN", "device_id": "", "device_owner": "", "mac_address": "fa:16:3e:00:00:01",
            "tags": [],
            "allowed_address_pairs": [], "extra_dhcp_opts": [], "port_security_enabled": True, "dns_name": "",
            "fixed_ips": [{"subnet_id": "s", "ip_address": f"192.168.1.{10 + len(self.cloud.ports)}"}],
            "binding:vnic_type": "normal", "binding:host_id": "", "binding:profile": {}, "dns_assignment": [],
            "qos_policy_id": None,
        }  # fmt: skip
        made = {**usual, **self.made(body["port"])}
        self.cloud.ports[made["id"]] = made
        return {"port": made}

    @route("GET", r"/network/v2.0/ports")
    def list_ports(self, query: dict[str, str], **_: Any) -> Json:
        device = query.get("device_id")
        return {"ports": [p for p in self.cloud.ports.values() if device in (None, p["device_id"])]}

    @route("GET", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def port(self, identity: str, **_: Any) -> Json:
        return {"port": self.get(self.cloud.ports, identity)}

    @route("PUT", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def change_port(self, identity: str, body: Json, **_: Any) -> Json:
        self.get(self.cloud.ports, identity).update(body["port"])
        return self.port(identity)

    @route("DELETE", r"/network/v2.0/ports/(?P<identity>[^/]+)")
    def remove_port(self, identity: str, **_: Any) -> None:
        self.get(self.cloud.ports, identity)
        del self.cloud.ports[identity]
        for address in self.cloud.floating_ips.values():
            if address["port_id"] == identity:
                address.update(port_id=None, fixed_ip_address=None, status="DOWN")

    @route("PUT", r"/network/v2.0/(?P<kind>[a-z-]+)/(?P<identity>[^/]+)/tags")
    def tag(self, kind: str, identity: str, body: Json, **_: Any) -> Json:
        kinds = {
            "ports": self.cloud.ports,
            "security-groups": self.cloud.groups,
            "floatingips": self.cloud.floating_ips,
        }
        self.get(kinds[kind], identity)["tags"] = body["tags"]
        return body

    @route("GET", r"/network/v2.0/floatingips")
    def list_addresses(self, query: dict[str, str], **_: Any) -> Json:
        def fits(address: Json) -> bool:
            return all(address.get(key) == value for key, value in query.items())

        return {"floatingips": [a for a in self.cloud.floating_ips.values() if fits(a)]}

    @route("POST", r"/network/v2.0/floatingips")
    def make_address(self, body: Json, **_: Any) -> Json:
        usual: Json = {
            "floating_ip_address": f"172.24.4.{100 + len(self.cloud.floating_ips)}", "port_id": None,
            "tags": [],
            "fixed_ip_address": None, "status": "DOWN", "router_id": None, "dns_name": "", "dns_domain": "",
        }  # fmt: skip
        made = {**usual, **{k: v for k, v in self.made(body["floatingip"]).items() if v != ""}}
        self.cloud.floating_ips[made["id"]] = made
        return {"floatingip": made}

    @route("GET", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def address(self, identity: str, **_: Any) -> Json:
        return {"floatingip": self.get(self.cloud.floating_ips, identity)}

    @route("PUT", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def change_address(self, identity: str, body: Json, **_: Any) -> Json:
        changes = body["floatingip"]
        address = self.get(self.cloud.floating_ips, identity)
        address.update(changes)
        if "port_id" in changes:
            port = self.cloud.ports.get(changes["port_id"] or "")
            address["status"] = "ACTIVE" if port else "DOWN"
            address["fixed_ip_address"] = port["fixed_ips"][0]["ip_address"] if port else None
        return {"floatingip": address}

    @route("DELETE", r"/network/v2.0/floatingips/(?P<identity>[^/]+)")
    def remove_address(self, identity: str, **_: Any) -> None:
        self.get(self.cloud.floating_ips, identity)
        del self.cloud.floating_ips[identity]
