# SPDX-License-Identifier: Apache-2.0
# Made by options/generate from options/image_failures.toml: do not edit.
"""What skopeo and umoci say, in small letters; what it means for who names an image, and what to do."""

# ruff: noqa: E501
# fmt: off
CAUSES = (
    (("nothing came for",), "the registry does not answer", "check the registry, or the mirror that mirror= or $BERTH_REGISTRY_MIRROR names, and this machine's network; $BERTH_REGISTRY_TIMEOUT is for how many seconds nothing may come"),
    (("http response to https client",), "the registry speaks no TLS", "write a mirror as http://host:port; for another registry say `insecure = true` in /etc/containers/registries.conf"),
    (("x509", "certificate",), "the registry's certificate is not trusted on this machine", "give this machine the certificate of its authority (update-ca-certificates)"),
    (("dial tcp", "no such host", "connection refused", "i/o timeout", "deadline exceeded", "no route to host",), "the registry cannot be reached from here", "check the name and this machine's network; a mirror of docker.io is named by mirror= or $BERTH_REGISTRY_MIRROR"),
    (("unauthorized", "authentication required", "access to the resource is denied",), "the registry wants credentials", "`skopeo login` or `docker login` first, or give auth_file= or $REGISTRY_AUTH_FILE"),
    (("manifest unknown", "name unknown",), "the registry has no such image", "`skopeo list-tags docker://REPOSITORY` lists the tags that a repository has"),
    (("no image found in",), "there is no such image for this machine's architecture", "take an image that is made for it"),
    (("no space left on device",), "there is no room for the image", "name a directory with more room by $TMPDIR and $BERTH_IMAGE_CACHE"),
    (("trust policy",), "skopeo has not been told whose images it may take", "install containers-common (golang-github-containers-common in Debian), which brings /etc/containers/policy.json"),
)
