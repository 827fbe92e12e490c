# SPDX-License-Identifier: Apache-2.0
"""Docker in Docker"""

from box import Box, has, same, scenario


@scenario()
def socket_inside(box: Box) -> None:
    """A container with Docker's socket: the client in it makes containers beside it"""
    mounts = "-v /var/run/docker.sock:/var/run/docker.sock -v /usr:/usr:ro -v /lib64:/lib64:ro"
    box.docker(f"run --rm {mounts} busybox /usr/bin/docker run -d --name beside busybox sleep 1000")
    same(box.docker("ps --format {{.Names}}"), "beside")


@scenario(fresh=True)
def docker_in_docker(box: Box) -> None:
    """dockerd in a privileged container, and a container in that"""
    box.file(
        "/dind/Dockerfile",
        "FROM scratch\nADD links.tar /\nVOLUME /var/lib/docker\nENV PATH=/usr/sbin:/usr/bin\n"
        'ENTRYPOINT ["dockerd", "--iptables=false", "--ip6tables=false"]\n',
    )
    box.inside(
        "mkdir -p /links && cd /links && mkdir -p usr etc tmp run var/lib proc sys dev root && "
        "for link in bin sbin lib lib64; do ln -sf usr/$link $link; done; ln -sf ../run var/run; cp -a /etc/. etc/; "
        "tar -cf /dind/links.tar . && cd /dind && DOCKER_BUILDKIT=0 docker build -q -t dind . 2>&1",
    )
    box.docker("run -d --name inner --privileged -v /usr:/usr:ro dind")
    box.until("the inner Docker is ready", lambda: box.try_docker("exec inner docker info").code == 0)
    box.inside("docker save busybox | docker exec -i inner docker load")
    same(box.docker("exec inner docker run --rm busybox echo from two below"), "from two below")
    has(box.docker("exec inner docker info --format {{.Driver}}"), "overlay")
