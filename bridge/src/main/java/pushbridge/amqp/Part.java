package pushbridge.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import pushbridge.amqp.Finding.Kind;

/** One exchange, queue, stream or binding as the bridge wants it. */
sealed interface Part {

    Kind kind();

    String name();

    /** Creates it where it is missing; where it is there, RabbitMQ compares the arguments and changes nothing. */
    void declare(Channel channel) throws IOException;

    /** For sentences. */
    default String what() {
        return kind().word() + " " + name();
    }

    /** What can be looked at without creating it, unlike a binding. */
    sealed interface Visible extends Part {
        /** Fails with 404 when there is none of this name; else tells what is in it, empty for nothing to tell. */
        String look(Channel channel) throws IOException;
    }

    record Exchange(String name, BuiltinExchangeType type, Map<String, Object> arguments) implements Visible {
        @Override
        public Kind kind() {
            return Kind.EXCHANGE;
        }

        @Override
        public void declare(Channel channel) throws IOException {
            channel.exchangeDeclare(name, type, true, false, arguments);
        }

        @Override
        public String look(Channel channel) throws IOException {
            channel.exchangeDeclarePassive(name);
            return "";
        }
    }

    /** A durable quorum queue. */
    record Queue(String name, Map<String, Object> arguments) implements Visible {

        /**
         * Large and positive on every quorum queue: without a limit RabbitMQ 3.10–3.13 returns messages to the tail,
         * 4.x has a default of 20, and 3.x discards at once with −1. With one they return to the head, everywhere.
         */
        private static final int DELIVERY_LIMIT = 1_000_000;

        @Override
        public Kind kind() {
            return Kind.QUEUE;
        }

        @Override
        public void declare(Channel channel) throws IOException {
            declareAndCount(channel);
        }

        AMQP.Queue.DeclareOk declareAndCount(Channel channel) throws IOException {
            Map<String, Object> all = new HashMap<>(arguments);
            all.put("x-queue-type", "quorum");
            all.put("x-delivery-limit", DELIVERY_LIMIT);
            return channel.queueDeclare(name, true, false, false, all);
        }

        @Override
        public String look(Channel channel) throws IOException {
            AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(name);
            return count(found.getMessageCount(), "message") + " ready, " + count(found.getConsumerCount(), "consumer");
        }

        private static String count(int number, String noun) {
            return number + " " + noun + (number == 1 ? "" : "s");
        }
    }

    /** A durable stream. */
    record Stream(String name, Map<String, Object> arguments) implements Visible {
        @Override
        public Kind kind() {
            return Kind.STREAM;
        }

        @Override
        public void declare(Channel channel) throws IOException {
            channel.queueDeclare(name, true, false, false, arguments);
        }

        @Override
        public String look(Channel channel) throws IOException {
            // How many records a stream has is known only roughly, so it is not told.
            return Queue.count(channel.queueDeclarePassive(name).getConsumerCount(), "consumer");
        }
    }

    record Binding(Exchange from, Queue to, String key, Map<String, Object> arguments) implements Part {
        @Override
        public Kind kind() {
            return Kind.BINDING;
        }

        @Override
        public String name() {
            return from.name() + " -> " + to.name();
        }

        @Override
        public void declare(Channel channel) throws IOException {
            channel.queueBind(to.name(), from.name(), key, arguments);
        }
    }
}
