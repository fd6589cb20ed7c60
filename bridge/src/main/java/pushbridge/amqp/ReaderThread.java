package pushbridge.amqp;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs a connection's callbacks on the thread that reads from it, where the client library would hand each message over to a
 * thread of its pool. On a busy machine that saves a wake-up a message, in time as in processor time.
 *
 * <p>Such a callback must never wait for the broker: the answer would have to be read by the thread that waits. Writing
 * may block, so it must not write either.
 */
final class ReaderThread extends AbstractExecutorService {

    private volatile boolean shutdown;

    @Override
    public void execute(Runnable task) {
        task.run();
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return shutdown; // nothing ever waits here
    }
}
