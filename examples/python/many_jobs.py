# SPDX-License-Identifier: Apache-2.0
"""A hundred short jobs in eight sandboxes: each job in a fresh directory, the sandboxes used again."""

import asyncio
import time

from berth import AsyncSandbox, Image, Sandbox

JOBS = 100
SANDBOXES = 8

image = Image.from_registry("ubuntu:22.04")


async def work(sandbox: AsyncSandbox, jobs: "asyncio.Queue[int]", results: dict[int, int]) -> None:
    while not jobs.empty():
        job = jobs.get_nowait()
        script = f"mkdir /tmp/{job} && cd /tmp/{job} && echo $(({job} * {job}))"
        process = await sandbox.exec("sh", "-c", script, timeout=60)
        results[job] = int(await process.stdout.read())


async def main() -> None:
    await image.aio.build()
    jobs: asyncio.Queue[int] = asyncio.Queue()
    for job in range(JOBS):
        jobs.put_nowait(job)
    results: dict[int, int] = {}

    async def one() -> None:
        async with Sandbox(image=image, cpu=1, memory="256Mi") as sandbox:
            await work(sandbox, jobs, results)

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(SANDBOXES):
            group.create_task(one())
    print(f"{len(results)} jobs in {SANDBOXES} sandboxes: {time.monotonic() - began:.1f} s")
    print("sum of squares:", sum(results.values()))


asyncio.run(main())
