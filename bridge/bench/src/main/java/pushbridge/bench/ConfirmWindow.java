package pushbridge.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConfirmListener;
import java.io.IOException;

/** How many publishes may be unconfirmed at a time. One thread publishes, the connection's tells of confirms. */
final class ConfirmWindow implements ConfirmListener {

    private final boolean[] confirmed;
    private long published;
    /** Everything below is confirmed. */
    private long settled;

    private long refused;

    private ConfirmWindow(int size) {
        confirmed = new boolean[size];
    }

    /** Of a channel that has published nothing so far. */
    static ConfirmWindow on(Channel channel, int size) throws IOException {
        ConfirmWindow window = new ConfirmWindow(size);
        channel.confirmSelect();
        channel.addConfirmListener(window);
        return window;
    }

    /** Waits for room, then counts one as published. */
    synchronized void enter() throws InterruptedException {
        while (published - settled == confirmed.length) {
            wait();
        }
        published++;
    }

    /** Waits until everything is confirmed. */
    synchronized void drain() throws InterruptedException, BenchException {
        while (settled < published) {
            wait();
        }
        if (refused > 0) {
            throw new BenchException("the broker refused " + refused + " messages");
        }
    }

    @Override
    public synchronized void handleAck(long number, boolean multiple) {
        // Numbers begin at 1, places at 0.
        for (long n = multiple ? settled : number - 1; n < number; n++) {
            confirmed[(int) (n % confirmed.length)] = true;
        }
        while (settled < published && confirmed[(int) (settled % confirmed.length)]) {
            confirmed[(int) (settled % confirmed.length)] = false;
            settled++;
        }
        notifyAll();
    }

    @Override
    public synchronized void handleNack(long number, boolean multiple) {
        refused++;
        handleAck(number, multiple);
    }
}
