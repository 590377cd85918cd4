module github.com/terraform-providers/terraform-provider-docker/dockerprovider

go 1.26
