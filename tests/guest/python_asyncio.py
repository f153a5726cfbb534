#!/usr/bin/python3
"""asyncio: socket pairs, Unix servers, subprocesses, signals, timeouts."""
import asyncio
import os
import signal
import socket


async def pair():
    a, b = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=a)
    other_reader, other_writer = await asyncio.open_connection(sock=b)
    writer.write(b"x" * 300000 + b"\n")
    line, _ = await asyncio.gather(other_reader.readexactly(300001), writer.drain())
    print(len(line))
    writer.close()
    print(await other_reader.read())
    other_writer.close()


async def server():
    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
    listener = await asyncio.start_unix_server(serve, "socket")

    async def client(n):
        reader, writer = await asyncio.open_unix_connection("socket")
        writer.write(f"client {n}\n".encode())
        line = await reader.readline()
        writer.close()
        return line.decode().strip()
    print(await asyncio.gather(*(client(n) for n in range(10))))
    listener.close()


async def children():
    process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await process.communicate(b"through cat"))[0], process.returncode)
    shells = [await asyncio.create_subprocess_shell(f"sleep 0.0{n}; exit {n}") for n in range(4)]
    print(await asyncio.gather(*(s.wait() for s in shells)))
    process = await asyncio.create_subprocess_exec("sleep", "30")
    try:
        await asyncio.wait_for(process.wait(), 0.05)
    except asyncio.TimeoutError:
        process.terminate()
        print("terminated", await process.wait())


async def main():
    await pair()
    await server()
    await children()
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 5)
    print("signal")
    print(await asyncio.to_thread(lambda: 42))

asyncio.run(main())
