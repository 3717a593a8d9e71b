"""app.signal."""

from app.signal import Signal


def test_listeners_are_called_in_the_order_in_which_they_connected():
    signal, heard = Signal(), []
    for name in "abc":
        signal.connect(lambda value, name=name: heard.append((name, value)))
    signal.emit(1)
    assert heard == [("a", 1), ("b", 1), ("c", 1)]


def test_a_disconnected_listener_hears_nothing_more():
    signal, heard = Signal(), []
    disconnect = signal.connect(heard.append)
    signal.emit(1)
    disconnect()
    signal.emit(2)
    assert heard == [1]


def test_disconnecting_twice_leaves_an_equal_listener_alone():
    signal, heard = Signal(), []
    first = signal.connect(heard.append)
    first()
    signal.connect(heard.append)
    first()
    signal.emit(1)
    assert heard == [1]


def test_a_listener_may_disconnect_itself_while_it_is_called():
    signal, heard = Signal(), []
    disconnect = signal.connect(lambda value: (heard.append(value), disconnect()))
    signal.connect(heard.append)
    signal.emit(1)
    signal.emit(2)
    assert heard == [1, 1, 2]


def test_a_listener_that_connects_during_a_call_hears_the_next():
    signal, heard = Signal(), []
    signal.connect(lambda value: signal.connect(heard.append))
    signal.emit(1)
    assert heard == []
    signal.emit(2)
    assert heard == [2]
