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
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.glassfish.grizzly.http.Method;
import org.glassfish.grizzly.http.server.HttpHandler;
import org.glassfish.grizzly.http.server.Request;
import org.glassfish.grizzly.http.server.Response;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code GET /client/pushbridge-client.js} and its companion with the very files of {@code bridge/client}. They are
 * read and compressed once, so an answer is a write from memory, which a selector thread may do. Pages of any origin may
 * import them: they are the same for everybody.
 */
public final class ClientFiles extends HttpHandler {

    /** What all paths begin with. */
    public static final String BELOW = "/client";

    /** Bytes of the hash in an entity tag: enough to tell versions of one file apart. */
    private static final int TAG_BYTES = 12;

    private record Variant(byte[] bytes, String tag) {}

    private record Script(Variant plain, Variant gzip) {}

    private static final class SmallestGzip extends GZIPOutputStream {
        SmallestGzip(OutputStream out) throws IOException {
            super(out);
            def.setLevel(Deflater.BEST_COMPRESSION);
        }
    }

    private final Map<String, Script> scripts;

    /** Loads the files; they are part of the bridge. */
    public ClientFiles() {
        scripts = Map.of(
                BELOW + "/pushbridge-client.js", load("pushbridge-client.js"),
                BELOW + "/pushbridge-tabs.js", load("pushbridge-tabs.js"));
    }

    private static Script load(String name) {
        try (InputStream stream = ClientFiles.class.getResourceAsStream("/pushbridge/client/" + name)) {
            if (stream == null) {
                throw new IllegalStateException("the bridge's jar lacks pushbridge/client/" + name);
            }
            byte[] bytes = stream.readAllBytes();
            String hash = HexFormat.of()
                    .formatHex(
                            Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(bytes), TAG_BYTES));
            return new Script(
                    new Variant(bytes, '"' + hash + '"'), new Variant(compressed(bytes), '"' + hash + "-gzip\""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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

    @Override
    public void service(Request request, Response response) throws IOException {
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Access-Control-Allow-Origin", "*");
        response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
        @Nullable Script script = scripts.get(request.getRequestURI());
        if (script == null) {
            answer(response, 404, "Nothing here. The client library is at /client/pushbridge-client.js.\n");
            return;
        }
        if (request.getMethod() != Method.GET && request.getMethod() != Method.HEAD) {
            response.setHeader("Allow", "GET, HEAD");
            answer(response, 405, "Get it with GET.\n");
            return;
        }
        boolean gzip = takesGzip(request.getHeader("Accept-Encoding"));
        Variant variant = gzip ? script.gzip() : script.plain();
        // The address has no version, so it is asked for each time, and answered with 304 while it is the same.
        response.setHeader("Cache-Control", "public, no-cache");
        response.setHeader("Vary", "Accept-Encoding");
        response.setHeader("ETag", variant.tag());
        if (names(request.getHeader("If-None-Match"), variant.tag())) {
            response.setStatus(304);
            return;
        }
        if (gzip) {
            response.setHeader("Content-Encoding", "gzip");
        }
        response.setContentType("text/javascript; charset=utf-8");
        response.setContentLength(variant.bytes().length);
        if (request.getMethod() == Method.GET) {
            response.getOutputStream().write(variant.bytes());
        }
    }

    private static void answer(Response response, int status, String sentence) throws IOException {
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
