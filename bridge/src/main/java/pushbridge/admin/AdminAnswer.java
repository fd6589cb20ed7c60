package pushbridge.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What a handler answers. */
public sealed interface AdminAnswer {

    /** What the audit log says of it: what was done, or why not; never a secret or a payload. Empty for nothing. */
    String did();

    /** The same answer, with this in the audit log. */
    AdminAnswer noting(String did);

    /**
     * A response that is there as a whole.
     *
     * @param headers besides those that every response has, which they replace
     */
    record Whole(int status, String contentType, byte[] bytes, Map<String, String> headers, String did)
            implements AdminAnswer {

        @Override
        public Whole noting(String note) {
            return new Whole(status, contentType, bytes, headers, note);
        }
    }

    /**
     * A response that is written while it goes on; at most {@value AdminServer#STREAMS} at a time. Every one is audited,
     * also to a GET, since it shows what passes through.
     */
    record Streamed(String contentType, Body body, String did) implements AdminAnswer {

        @Override
        public Streamed noting(String note) {
            return new Streamed(contentType, body, note);
        }
    }

    /** Writes a streamed response; its return ends the response. */
    @FunctionalInterface
    interface Body {
        /**
         * Runs on the request's thread.
         *
         * @throws InterruptedException the listener stops
         * @throws IOException the operator is gone, as {@link Out} has said
         */
        void writeTo(Out out) throws IOException, InterruptedException;
    }

    /** Where a streamed response goes. One thread. */
    @FunctionalInterface
    interface Out {
        /**
         * Sends this now, and waits while the operator reads slowly. Only writing finds out that an operator is gone: whoever
         * has nothing to say for long should send something empty now and then.
         */
        void write(String text) throws IOException;
    }

    /** 200 with an object as JSON. */
    static Whole json(Object body) {
        return json(200, body);
    }

    /** An object as JSON. */
    static Whole json(int status, Object body) {
        return text(status, "application/json", Json.MAPPER.writeValueAsString(body) + "\n");
    }

    /** Text, as UTF-8. */
    static Whole text(int status, String contentType, String body) {
        return new Whole(status, contentType, body.getBytes(StandardCharsets.UTF_8), Map.of(), "");
    }

    /** A response that is written while it goes on. */
    static Streamed stream(String contentType, Body body) {
        return new Streamed(contentType, body, "");
    }

    /** Why not: {@code {"error": code, "detail": sentence}}. */
    static Whole problem(int status, String code, String detail) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("error", code);
        body.put("detail", detail);
        return json(status, body).noting(code + ": " + detail);
    }
}

/** An interface cannot hide it. */
final class Json {
    static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}
}
