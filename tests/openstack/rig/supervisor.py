"""Which programs run in the rig, and how each is started."""

from __future__ import annotations

from tests.openstack.rig.place import LOOPBACK, Place, Sections


def supervisor(place: Place) -> Sections:
    """Infrastructure starts with the container, services when prepare.sh says so."""
    neutron = "--config-file /etc/neutron/neutron.conf"
    ml2 = f"{neutron} --config-file /etc/neutron/plugins/ml2/ml2_conf.ini"
    infrastructure = {
        # What is lost when the machine loses power is no loss here.
        "mariadb": "mariadbd --user=mysql --skip-log-bin --innodb-flush-log-at-trx-commit=0"
        " --innodb-flush-method=nosync --innodb-doublewrite=0 --max-connections=1000"
        " --performance-schema=OFF --innodb-buffer-pool-size=128M --skip-name-resolve",
        "memcached": f"memcached -u memcache -m 32 -l {LOOPBACK}",
        "rabbitmq": "rabbitmq-server",
        "virtlogd": "virtlogd",
        "libvirtd": "libvirtd",
    }
    services = {
        # Guests' name server; it asks whatever the container asks.
        "dns": "dnsmasq --keep-in-foreground --conf-file=/dev/null --bind-interfaces"
        f" --listen-address={place.gateway} --no-hosts --pid-file=",
        "keystone": _uwsgi(5000, "/usr/bin/keystone-wsgi-public", 2, "--uid keystone --gid keystone"),
        "placement": _uwsgi(8778, "/usr/bin/placement-api", 1),
        "glance-api": "glance-api --config-file /etc/glance/glance-api.conf",
        "cinder-api": "cinder-api --config-file /etc/cinder/cinder.conf",
        "cinder-scheduler": "cinder-scheduler --config-file /etc/cinder/cinder.conf",
        "cinder-volume": "cinder-volume --config-file /etc/cinder/cinder.conf",
        "neutron-server": f"neutron-server {ml2}",
        "neutron-linuxbridge-agent": f"neutron-linuxbridge-agent {ml2}",
        "neutron-dhcp-agent": f"neutron-dhcp-agent {neutron} --config-file /etc/neutron/dhcp_agent.ini",
        "neutron-l3-agent": f"neutron-l3-agent {neutron} --config-file /etc/neutron/l3_agent.ini",
        "neutron-metadata-agent": f"neutron-metadata-agent {neutron}"
        " --config-file /etc/neutron/metadata_agent.ini",
        "nova-conductor": "nova-conductor --config-file /etc/nova/nova.conf",
        "nova-api": "nova-api --config-file /etc/nova/nova.conf",
        "nova-scheduler": "nova-scheduler --config-file /etc/nova/nova.conf",
        "nova-compute": "nova-compute --config-file /etc/nova/nova-compute.conf",
    }
    programs = {
        f"program:{name}": {
            "command": command,
            "autostart": name in infrastructure,
            # Agents give up while the server that they register with is still starting.
            "autorestart": True,
            "startretries": 20,
            "stopasgroup": True,
            "killasgroup": True,
            "redirect_stderr": True,
            "stdout_logfile": f"/var/log/rig/{name}.log",
        }
        for name, command in (infrastructure | services).items()
    }
    return {
        "supervisord": {"nodaemon": True, "user": "root", "logfile": "/dev/null", "logfile_maxbytes": 0},
        "unix_http_server": {"file": "/run/supervisor.sock"},
        "supervisorctl": {"serverurl": "unix:///run/supervisor.sock"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        **programs,
        "group:infrastructure": {"programs": ",".join(infrastructure)},
        "group:services": {"programs": ",".join(services)},
    }


def _uwsgi(port: int, program: str, processes: int, more: str = "") -> str:
    """A web service as uwsgi runs it; clients' connections break off without the last options."""
    return (
        f"uwsgi --plugin python3 --http-socket :{port} --wsgi-file {program} --processes {processes}"
        " --threads 4 --need-app --die-on-term --master --enable-threads --disable-logging --lazy-apps"
        f" --thunder-lock --listen 100 {more}"
        ' --buffer-size 65535 --post-buffering 65536 --add-header "Connection: close"'
    )
