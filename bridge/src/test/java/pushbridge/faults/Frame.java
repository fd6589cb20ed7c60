package pushbridge.faults;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One envelope as a client got it, or the body of a copy. */
record Frame(String address, long seq, String text) {

    private static final JsonMapper JSON = new JsonMapper();

    static String key(String address, long seq) {
        return address + "#" + seq;
    }

    /** Reads one; the members are those every envelope has. */
    static Frame of(String text) {
        JsonNode json = JSON.readTree(text);
        return new Frame(json.path("to").asString(""), json.path("seq").asLong(-1), text);
    }

    /** Whether a text is an answer or a notice of the bridge, which no acknowledgement counts. */
    static boolean isService(String text) {
        String type = JSON.readTree(text).path("type").asString("");
        return type.equals("pong") || type.startsWith("bridge.");
    }

    /** The delay that a bridge which goes away asks for, in milliseconds; -1 in any other text. */
    static long goingAwayMillis(String text) {
        JsonNode json = JSON.readTree(text);
        return json.path("type").asString("").equals("bridge.going-away")
                ? json.path("payload").path("delay").asLong(-1)
                : -1;
    }

    String key() {
        return key(address, seq);
    }
}
