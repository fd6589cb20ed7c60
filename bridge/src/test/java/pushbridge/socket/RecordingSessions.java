package pushbridge.socket;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.ClientRequest;
import pushbridge.delivery.Confirmation;
import pushbridge.delivery.FrameSink;
import pushbridge.delivery.Newcomer;
import pushbridge.delivery.SessionReports;
import pushbridge.envelope.ServerFrames;
import pushbridge.outbox.Frame;

/** Stands where the delivery loop is and writes down what it is told. */
final class RecordingSessions implements Sessions {

    /** One session. */
    static final class Opened implements SessionReports {
        final String id;
        final @Nullable String user;
        final List<String> channels;
        final Confirmation confirmation;
        final FrameSink sink;
        final List<Long> confirmed = new CopyOnWriteArrayList<>();
        final List<ClientRequest> requests = new CopyOnWriteArrayList<>();
        final AtomicInteger progressed = new AtomicInteger();
        final AtomicInteger closed = new AtomicInteger();
        volatile boolean takesRequests = true;

        Opened(String id, @Nullable String user, List<String> channels, Confirmation confirmation, FrameSink sink) {
            this.id = id;
            this.user = user;
            this.channels = channels;
            this.confirmation = confirmation;
            this.sink = sink;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public void confirmed(long envelopes) {
            confirmed.add(envelopes);
        }

        @Override
        public void progressed() {
            progressed.incrementAndGet();
        }

        @Override
        public boolean request(ClientRequest request) {
            requests.add(request);
            return takesRequests;
        }

        @Override
        public void closed() {
            closed.incrementAndGet();
        }

        long lastConfirmed() {
            return confirmed.isEmpty() ? 0 : confirmed.get(confirmed.size() - 1);
        }
    }

    volatile Runnable onOpen = () -> {};
    final List<Opened> opened = new CopyOnWriteArrayList<>();

    @Override
    public SessionReports open(Newcomer client, Confirmation confirmation, FrameSink sink) {
        String id = client.id();
        String user = client.user();
        onOpen.run();
        if (confirmation == Confirmation.ACK) {
            sink.reply(Frame.text(ServerFrames.welcome(id, user, client.resumes() != null, client.expiresAt())));
        }
        Opened session = new Opened(id, user, client.channels(), confirmation, sink);
        opened.add(session);
        return session;
    }
}
