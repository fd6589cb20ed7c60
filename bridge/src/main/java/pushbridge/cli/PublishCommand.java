package pushbridge.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import pushbridge.config.AmqpConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.delivery.OfflinePolicy;
import pushbridge.envelope.Address;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "publish",
        description = "Publishes one message to RabbitMQ and says what became of it.",
        footer = {"", "Example: pushbridge publish user.42 chat.message '{\"text\":\"hello\"}'"})
final class PublishCommand implements Callable<Integer> {
    /** The largest integer that JavaScript holds exactly. */
    private static final long MAX_SEQ = (1L << 53) - 1;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Publisher publisher;
    private final ConfigLoader loader;
    private final Map<String, String> environment;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    ConfigOptions config = new ConfigOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Parameters(
            index = "0",
            paramLabel = "ADDRESS",
            description = "Whom it is for: user.ID, channel.NAME, connection.ID or all.")
    String address = "";

    @Parameters(index = "1", paramLabel = "TYPE", description = "The message type, such as chat.message.")
    String type = "";

    @Parameters(index = "2", paramLabel = "PAYLOAD_JSON", description = "The payload, a JSON object.")
    String payload = "";

    @Option(
            names = "--seq",
            paramLabel = "N",
            description = "The message's number, 0 to 2^53-1; else the time in microseconds.")
    @Nullable
    Long seq;

    @Option(
            names = "--offline",
            paramLabel = "hold|drop|dead-letter",
            description = "What becomes of it when nobody is there; else the address decides.")
    @Nullable
    OfflinePolicy offline;

    @Option(
            names = "--expiration",
            paramLabel = "TIME",
            description = "How long it may wait: milliseconds, or a duration such as 90s.")
    @Nullable
    Duration expiration;

    @Option(names = "--message-id", paramLabel = "ID", description = "The property message_id.")
    @Nullable
    String messageId;

    PublishCommand(Publisher publisher, ConfigLoader loader, Map<String, String> environment) {
        this.publisher = publisher;
        this.loader = loader;
        this.environment = environment;
    }

    @Override
    public Integer call() throws ConfigException {
        byte[] body;
        try {
            checkEncoding();
            Address.parse(address);
            body = envelope();
        } catch (InvalidDataException | Address.InvalidAddressException e) {
            err().println("pushbridge: " + e.getMessage());
            return ExitCode.DATA.number();
        }
        AmqpConfig amqp = loader.loadAmqp(config.sources(environment));
        return tell(publisher.publish(amqp, new Publisher.Request(address, body, offline, expiration, messageId)))
                .number();
    }

    /** Java replaces what it cannot read in the locale's encoding, and the reader would see the replacement. */
    private void checkEncoding() throws InvalidDataException {
        if ((address + type + payload + messageId).indexOf('\uFFFD') >= 0) {
            throw new InvalidDataException("the arguments are not readable in the encoding of this terminal ("
                    + System.getProperty("sun.jnu.encoding", "unknown") + "); set LC_ALL=C.UTF-8");
        }
    }

    /** The envelope with the payload exactly as given. */
    private byte[] envelope() throws InvalidDataException {
        long number = seq == null ? System.currentTimeMillis() * 1000 : seq;
        if (number < 0 || number > MAX_SEQ) {
            throw new InvalidDataException("--seq " + number + " is outside 0 to 2^53-1");
        }
        JsonNode read;
        try {
            read = JSON.readTree(payload);
        } catch (JacksonException e) {
            throw new InvalidDataException("PAYLOAD_JSON is not valid JSON: " + e.getOriginalMessage() + " (character "
                    + e.getLocation().getColumnNr() + "); quote it for the shell, as in '{\"text\":\"hello\"}'");
        }
        if (!read.isObject()) {
            throw new InvalidDataException("PAYLOAD_JSON must be a JSON object such as '{\"text\":\"hello\"}', not "
                    + (read.isMissingNode()
                            ? "empty"
                            : "of type " + read.getNodeType().name().toLowerCase(Locale.ROOT)));
        }
        String envelope =
                "{\"type\":" + JSON.writeValueAsString(type) + ",\"seq\":" + number + ",\"payload\":" + payload + "}";
        return envelope.getBytes(StandardCharsets.UTF_8);
    }

    private ExitCode tell(Publisher.Result result) {
        String detail = result.detail().isEmpty() ? "" : " (" + result.detail() + ")";
        return switch (result.outcome()) {
            case CONFIRMED -> {
                out().println("routed and confirmed" + detail);
                yield ExitCode.OK;
            }
            case RETURNED -> {
                err().println("returned: nobody takes it, the exchange or its queue is missing" + detail
                        + "; is the bridge running?");
                yield ExitCode.UNAVAILABLE;
            }
            case REFUSED -> {
                err().println("refused by the broker" + detail + "; is its queue full?");
                yield ExitCode.TRY_AGAIN;
            }
            case NO_ANSWER -> {
                err().println("no answer from the broker in time" + detail + "; it may have been published or not");
                yield ExitCode.TRY_AGAIN;
            }
            case UNREACHABLE -> {
                err().println("the broker cannot be reached" + detail + "; nothing was published");
                yield ExitCode.UNAVAILABLE;
            }
        };
    }

    private PrintWriter out() {
        return commandLine().getOut();
    }

    private PrintWriter err() {
        return commandLine().getErr();
    }

    private CommandLine commandLine() {
        return Objects.requireNonNull(spec, "set by picocli").commandLine();
    }

    private static final class InvalidDataException extends Exception {
        InvalidDataException(String message) {
            super(message);
        }
    }
}
