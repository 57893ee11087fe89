"""One thread with an eventlet hub, in which green threads carry out what other threads ask for."""

import queue
import threading

import eventlet

calls = queue.SimpleQueue()


def serve():
    while True:
        while calls.empty():
            eventlet.sleep(0.001)
        eventlet.spawn_n(carry_out, *calls.get())


def carry_out(answer, function, *args):
    try:
        answer.put((function(*args), None))
    except BaseException as error:
        answer.put((None, error))


def call(function, *args):
    """What *function* returns or raises in a green thread."""
    answer = queue.SimpleQueue()
    calls.put((answer, function, *args))
    result, error = answer.get()
    if error is not None:
        raise error
    return result


threading.Thread(target=serve, daemon=True).start()
