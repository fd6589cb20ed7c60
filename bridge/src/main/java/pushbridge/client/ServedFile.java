package pushbridge.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.glassfish.grizzly.http.Method;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;

/**
 * A file that the bridge serves from memory, read and compressed once: an answer is a write, which a selector thread may do.
 * Its address has no version, so a browser asks each time whether it is still the same, and mostly hears 304.
 */
public final class ServedFile {

    /** Bytes of the hash in an entity tag: enough to tell versions of one file apart. */
    private static final int TAG_BYTES = 12;

    private record Variant(byte[] bytes, String tag) {}

    private static final class SmallestGzip extends GZIPOutputStream {
        SmallestGzip(OutputStream out) throws IOException {
            super(out);
            def.setLevel(Deflater.BEST_COMPRESSION);
        }
    }

    private final Variant plain;
    private final Variant gzip;
    private final String contentType;

    private ServedFile(byte[] bytes, String contentType) throws IOException {
        String hash = HexFormat.of().formatHex(Arrays.copyOf(sha256(bytes), TAG_BYTES));
        plain = new Variant(bytes, '"' + hash + '"');
        gzip = new Variant(compressed(bytes), '"' + hash + "-gzip\"");
        this.contentType = contentType;
    }

    /**
     * Loads a file of the bridge's jar.
     *
     * @param path in the jar, beginning with a slash
     */
    public static ServedFile load(String path, String contentType) {
        return load(path, contentType, bytes -> bytes);
    }

    /** The same, with what {@code filling} makes of its bytes. */
    public static ServedFile load(String path, String contentType, UnaryOperator<byte[]> filling) {
        try (InputStream stream = ServedFile.class.getResourceAsStream(path)) {
            if (stream == null) {
                throw new IllegalStateException("the bridge's jar lacks " + path);
            }
            return new ServedFile(filling.apply(stream.readAllBytes()), contentType);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static byte[] compressed(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SmallestGzip gzip = new SmallestGzip(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    /** Answers GET and HEAD; any other method with 405. What else the answer says is for the caller to have set. */
    public void answer(Request request, Response response) throws IOException {
        if (request.getMethod() != Method.GET && request.getMethod() != Method.HEAD) {
            response.setHeader("Allow", "GET, HEAD");
            say(response, 405, "Get it with GET.\n");
            return;
        }
        boolean takesGzip = takesGzip(request.getHeader("Accept-Encoding"));
        Variant variant = takesGzip ? gzip : plain;
        response.setHeader("Vary", "Accept-Encoding");
        response.setHeader("ETag", variant.tag());
        if (names(request.getHeader("If-None-Match"), variant.tag())) {
            response.setStatus(304);
            return;
        }
        if (takesGzip) {
            response.setHeader("Content-Encoding", "gzip");
        }
        response.setContentType(contentType);
        response.setContentLength(variant.bytes().length);
        if (request.getMethod() == Method.GET) {
            response.getOutputStream().write(variant.bytes());
        }
    }

    /** Answers with a status and a sentence, which ends in a new line. */
    public static void say(Response response, int status, String sentence) throws IOException {
        response.setStatus(status);
        response.setContentType("text/plain; charset=utf-8");
        response.getWriter().write(sentence);
    }

    /** Whether the header names gzip without a weight of nought. */
    static boolean takesGzip(@Nullable String acceptEncoding) {
        if (acceptEncoding == null) {
            return false;
        }
        for (String coding : acceptEncoding.toLowerCase(Locale.ROOT).split(",", -1)) {
            String compact = coding.replace(" ", "");
            if (compact.equals("gzip") || (compact.startsWith("gzip;q=") && !compact.matches("gzip;q=0(\\.0*)?"))) {
                return true;
            }
        }
        return false;
    }

    /** Whether If-None-Match names the tag; weak tags compare the same here. */
    private static boolean names(@Nullable String ifNoneMatch, String tag) {
        if (ifNoneMatch == null) {
            return false;
        }
        for (String candidate : ifNoneMatch.split(",", -1)) {
            String stripped = candidate.strip();
            if (stripped.equals("*") || stripped.equals(tag) || stripped.equals("W/" + tag)) {
                return true;
            }
        }
        return false;
    }
}
