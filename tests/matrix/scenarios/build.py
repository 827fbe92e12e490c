# SPDX-License-Identifier: Apache-2.0
"""Building images"""

from box import Box, has, has_not, same, scenario

STAGES = """
FROM busybox AS first
ARG WHO=nobody
WORKDIR /made
COPY a.txt b.txt ./
RUN wget -q -O fetched http://{outside}:7999/ && echo "$WHO" > who
FROM busybox
ENV COLOUR=red
COPY --from=first /made /made
USER 65534
ENTRYPOINT ["sh", "-c"]
CMD ["cat /made/*; id -u; echo $COLOUR"]
"""

MOUNTS = """
FROM busybox
ARG TURN
RUN --mount=type=cache,target=/cache echo "$TURN" >> /cache/log && wc -l < /cache/log > /count
RUN --mount=type=secret,id=token cp /run/secrets/token /seen && chmod 644 /seen
RUN --mount=type=bind,target=/context cat /context/a.txt > /bound
RUN --mount=type=tmpfs,target=/scratch touch /scratch/file
"""

HEREDOC = """
FROM busybox
RUN <<END
set -e
echo first > /one
echo second > /two
END
COPY <<END /three
third
END
"""


def context(box: Box, dockerfile: str) -> None:
    box.file("/context/Dockerfile", dockerfile.replace("{outside}", box.work.outside))
    box.file("/context/a.txt", "a\n")
    box.file("/context/b.txt", "b\n")
    box.file("/context/.dockerignore", "left-out\n")
    box.file("/context/left-out", "never sent\n")
    box.file("/token", "s3cret\n")


def build(box: Box, words: str, environment: str = "", code: int = 0) -> str:
    return box.inside(f"cd /context && {environment} docker {words} 2>&1", code=code)


def check_stages(box: Box, kind: str) -> None:
    same(box.docker("run --rm made").splitlines(), ["a", "b", "from outside", kind, "65534", "red"])


@scenario(cut=True)
def classic_build(box: Box) -> None:
    """The classic builder: several stages, arguments, COPY, a RUN that uses the network, the cache"""
    context(box, STAGES)
    build(box, "build -t made --build-arg WHO=classic .", "DOCKER_BUILDKIT=0")
    check_stages(box, "classic")
    has(build(box, "build -t made --build-arg WHO=classic .", "DOCKER_BUILDKIT=0"), "Using cache")


@scenario(cut=True)
def buildkit(box: Box) -> None:
    """BuildKit: several stages, arguments, COPY, a RUN that uses the network, the cache, targets"""
    context(box, STAGES)
    build(box, "build --progress=plain -t made --build-arg WHO=kit .", "DOCKER_BUILDKIT=1")
    check_stages(box, "kit")
    has(build(box, "build --progress=plain -t made --build-arg WHO=kit .", "DOCKER_BUILDKIT=1"), "CACHED")
    build(box, "build -q -t first --target first .", "DOCKER_BUILDKIT=1")
    has(box.docker("run --rm first ls /made"), "fetched")
    has_not(box.docker("run --rm first ls /made"), "left-out")


@scenario()
def buildkit_mounts(box: Box) -> None:
    """BuildKit: `RUN --mount` of a cache, a secret, a bind and a tmpfs"""
    context(box, MOUNTS)
    words = "build --progress=plain --secret id=token,src=/token -t mounted"
    build(box, words + " --build-arg TURN=1 .", "DOCKER_BUILDKIT=1")
    same(box.docker("run --rm mounted cat /count /seen /bound"), "1\ns3cret\na")
    build(box, words + " --build-arg TURN=2 .", "DOCKER_BUILDKIT=1")
    same(box.docker("run --rm mounted cat /count"), "2")
    has_not(box.docker("history --no-trunc mounted"), "s3cret")


@scenario()
def heredocs(box: Box) -> None:
    """BuildKit: heredocs in RUN and COPY, by the built-in front end"""
    context(box, HEREDOC)
    build(box, "build --progress=plain -t heredoc .", "DOCKER_BUILDKIT=1")
    same(box.docker("run --rm heredoc cat /one /two /three"), "first\nsecond\nthird")


@scenario()
def buildx(box: Box) -> None:
    """`docker buildx build` with the docker driver, its output as an image, a tar and files; `buildx bake`"""
    context(box, STAGES)
    build(box, "buildx build --progress=plain -t made --build-arg WHO=buildx .")
    check_stages(box, "buildx")
    build(box, "buildx build -q --target first -o type=local,dest=/out .")
    same(box.inside("cat /out/made/fetched"), "from outside")
    box.file("/context/bake.hcl", 'target "default" {\n  tags = ["made"]\n  args = { WHO = "bake" }\n}\n')
    build(box, "buildx bake --progress=plain -f bake.hcl")
    check_stages(box, "bake")


@scenario(fresh=True)
def buildx_container(box: Box) -> None:
    """`docker buildx build` with the docker-container driver: buildkitd in a privileged container"""
    box.file("/kit/Dockerfile", 'FROM scratch\nCOPY files /\nVOLUME /var/lib/buildkit\nENTRYPOINT ["buildkitd"]\n')
    # runc comes with the libraries that it is linked to, and without others.
    box.inside(
        "mkdir -p /kit/files/usr/bin /kit/files/tmp /kit/files/run && cp /tools/buildkitd /tools/buildctl $(command -v runc) /kit/files/usr/bin/ && "
        "cp -L --parents $(ldd $(command -v runc) | grep -o '/[^ ]*') /kit/files/ && cd /kit && "
        "DOCKER_BUILDKIT=0 docker build -q -t buildkit:local . 2>&1"
    )
    # No registry has busybox here: the context of the build brings it.
    context(box, STAGES.replace("FROM busybox AS first", "FROM base AS first").replace("FROM busybox\n", "FROM base\n"))
    box.file("/base/Dockerfile", "FROM scratch\nADD base.tar /\n")
    box.inside("docker create --name base busybox && docker export base > /base/base.tar && docker rm base")
    build(box, "buildx create --name far --driver docker-container --driver-opt image=buildkit:local --use --bootstrap")
    build(box, "buildx build --progress=plain -o type=oci,dest=/base.oci,tar=false /base")
    build(
        box,
        "buildx build --progress=plain --load -t made --build-arg WHO=far --build-context base=oci-layout:///base.oci .",
    )
    check_stages(box, "far")
    build(box, "buildx rm far")
