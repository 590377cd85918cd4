"""What jupyterhub-deploy-docker configures, with a password that all share instead of accounts of its own."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it to the file

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = os.environ["DOCKER_NOTEBOOK_IMAGE"]
c.DockerSpawner.cmd = "jupyterhub-singleuser"
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.network_name = os.environ["DOCKER_NETWORK_NAME"]
c.DockerSpawner.prefix = "peer-user"
c.DockerSpawner.remove = True
c.JupyterHub.hub_ip = os.environ["HUB_CONTAINER"]
c.JupyterHub.hub_port = 8080
c.JupyterHub.cookie_secret_file = "/data/jupyterhub_cookie_secret"
c.JupyterHub.db_url = "sqlite:////data/jupyterhub.sqlite"
c.JupyterHub.port = 443
c.JupyterHub.ssl_key = "/tls/ssl.key"
c.JupyterHub.ssl_cert = "/tls/ssl.crt"
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["PASSWORD"]
c.Authenticator.allow_all = True
c.Authenticator.blocked_users = set(Path("/lists/blocked").read_text().split())
