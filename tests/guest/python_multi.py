#!/usr/bin/python3
"""multiprocessing by fork and by spawn, pools, queues, shared memory."""
import concurrent.futures
import multiprocessing
import os


def square(n):
    return n * n


def put(queue, n):
    queue.put((n, os.getppid() != 0))


def main():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
            print(method, pool.map(square, range(10)))
        queue = context.Queue()
        children = [context.Process(target=put, args=(queue, n)) for n in range(3)]
        [c.start() for c in children]
        print(sorted(queue.get() for _ in children))
        [c.join() for c in children]
        print([c.exitcode for c in children])
    value = multiprocessing.Value("i", 0)

    def add():
        for _ in range(200):
            with value.get_lock():
                value.value += 1
    children = [multiprocessing.Process(target=add) for _ in range(3)]
    [c.start() for c in children]
    [c.join() for c in children]
    print(value.value)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(square, range(5))))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(square, range(1000))))


if __name__ == "__main__":
    main()
