package pushbridge.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/**
 * The files of the console, from the class path. They are the same for everybody and tell nothing, so a browser gets them
 * without the token that it has no way to send along; what they show they ask for with it. Immutable.
 */
final class ConsolePages {

    /** Where the page is. */
    static final String HOME = "/console/";

    /**
     * Loosens what every other response says as far as these files need: nothing from elsewhere, nothing inline, and no text
     * becomes markup.
     */
    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none';"
                    + " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'");

    private static final Map<String, AdminAnswer.Whole> FILES = Map.ofEntries(
            Map.entry(HOME, file("index.html", "text/html; charset=utf-8")),
            Map.entry(HOME + "console.css", file("console.css", "text/css; charset=utf-8")),
            Map.entry(HOME + "icon.svg", file("icon.svg", "image/svg+xml")),
            script("console"),
            script("api"),
            script("dom"),
            script("chart"),
            script("overview"),
            script("letters"),
            script("held"),
            script("connections"),
            script("setup"));

    private static Map.Entry<String, AdminAnswer.Whole> script(String name) {
        return Map.entry(HOME + name + ".js", file(name + ".js", "text/javascript; charset=utf-8"));
    }

    private static AdminAnswer.Whole file(String name, String contentType) {
        try (InputStream stream = ConsolePages.class.getResourceAsStream("/pushbridge/console/" + name)) {
            if (stream == null) {
                throw new IllegalStateException("the bridge's jar lacks the console's " + name);
            }
            return new AdminAnswer.Whole(200, contentType, stream.readAllBytes(), HEADERS, "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether it is one of the console's, or a way to it. */
    boolean has(String path) {
        return FILES.containsKey(path) || path.equals("/") || path.equals("/console");
    }

    AdminAnswer answer(String method, String path) {
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return AdminException.wrongMethod(List.of("GET", "HEAD")).answer();
        }
        AdminAnswer.Whole file = FILES.get(path);
        return file != null
                ? file
                : new AdminAnswer.Whole(302, "text/plain", new byte[0], Map.of("Location", HOME), "");
    }
}
