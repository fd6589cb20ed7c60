package pushbridge.auth;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import pushbridge.config.JwksConfig;

/**
 * Loads a key set. No redirection is followed, since the address is the one thing that says whose keys are believed; time
 * and size are bounded from beginning to end, also for who sends a byte now and then.
 */
final class JwksRequest {

    private static final int OK = 200;

    private final JwksConfig config;
    private final HttpClient http;
    private final HttpRequest request;

    /** @param tls how the server is verified; null for as Java does */
    JwksRequest(JwksConfig config, @Nullable SSLContext tls) {
        this.config = config;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(config.timeout());
        http = (tls == null ? builder : builder.sslContext(tls)).build();
        request = HttpRequest.newBuilder(config.url())
                .header("Accept", "application/jwk-set+json, application/json")
                .build();
    }

    /**
     * Blocks for as long as the configuration allows.
     *
     * @throws IOException with a part of a sentence: there was no answer, or none that can be used
     */
    byte[] load() throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> answer =
                http.sendAsync(request, response -> new Bounded(response.statusCode(), config.maxBytes()));
        try {
            return answer.get(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                    .body();
        } catch (TimeoutException e) {
            throw new IOException(
                    "it has not answered whole within " + config.timeout().toMillis() + " ms", e);
        } catch (ExecutionException e) {
            throw new IOException(why(e), e);
        } finally {
            answer.cancel(true); // ends the connection of what has not come to its end
        }
    }

    private static String why(ExecutionException e) {
        Throwable cause = e.getCause();
        while (cause != null && cause.getCause() != null && !(cause instanceof SSLException)) {
            cause = cause.getCause();
        }
        if (cause instanceof SSLException) {
            return "TLS: " + cause.getMessage();
        } else if (cause instanceof Unusable) {
            return String.valueOf(cause.getMessage());
        } else if (cause instanceof java.nio.channels.UnresolvedAddressException) {
            return "its host is unknown";
        } else if (cause instanceof java.net.ConnectException
                || cause instanceof java.nio.channels.ClosedChannelException) {
            return "no connection to it";
        }
        return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
    }

    /** An answer that is none. */
    private static final class Unusable extends IOException {
        private static final long serialVersionUID = 1L;

        Unusable(String message) {
            super(message);
        }
    }

    /** Collects a body up to a size and gives up what is longer, or no answer to what was asked. */
    private static final class Bounded implements HttpResponse.BodySubscriber<byte[]> {
        private final int status;
        private final int maxBytes;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
        private Flow.@Nullable Subscription subscription;

        Bounded(int status, int maxBytes) {
            this.status = status;
            this.maxBytes = maxBytes;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            if (status == OK) {
                given.request(Long.MAX_VALUE);
            } else {
                giveUp("it answers " + status);
            }
        }

        private void giveUp(String why) {
            if (subscription != null) {
                subscription.cancel();
            }
            whole.completeExceptionally(new Unusable(why));
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (body.size() + part.remaining() > maxBytes) {
                    giveUp("its answer is longer than " + maxBytes + " bytes");
                    return;
                }
                byte[] bytes = new byte[part.remaining()];
                part.get(bytes);
                body.writeBytes(bytes);
            }
        }

        @Override
        public void onError(Throwable e) {
            whole.completeExceptionally(e);
        }

        @Override
        public void onComplete() {
            whole.complete(body.toByteArray());
        }
    }
}
