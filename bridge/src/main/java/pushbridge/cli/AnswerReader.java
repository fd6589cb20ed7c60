package pushbridge.cli;

import org.jspecify.annotations.Nullable;
import pushbridge.letters.LetterException;
import pushbridge.letters.LetterJson;
import pushbridge.letters.Progress;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads what a bridge tells of something long, line by line: how far it is, then the result or the error. */
final class AnswerReader implements AdminClient.Lines {

    /** Takes any other line; false when it has enough. */
    @FunctionalInterface
    interface Taker {
        boolean take(ObjectNode line);
    }

    private final Progress progress;
    private final Taker taker;
    private @Nullable JsonNode result;
    private AdminClient.@Nullable Failed failure;

    AnswerReader(Progress progress) {
        this(progress, line -> true);
    }

    AnswerReader(Progress progress, Taker taker) {
        this.progress = progress;
        this.taker = taker;
    }

    @Override
    public boolean next(String line) {
        ObjectNode json;
        try {
            json = LetterJson.parse(line, "a line of the bridge's answer");
        } catch (LetterException e) {
            failure = new AdminClient.Failed(ExitCode.UNAVAILABLE, e.sentence());
            return false;
        }
        if (json.has("result")) {
            result = json.path("result");
        } else if (json.has("error")) {
            failure = AdminClient.Failed.of(
                    json.path("status").asInt(0), json.path("detail").asString("the bridge does not say why"));
        } else if (json.has("done")) {
            return progress.at(json.path("done").asLong(0), json.path("of").asLong(0));
        } else {
            return taker.take(json);
        }
        return failure == null;
    }

    /**
     * What came of it.
     *
     * @throws AdminClient.Failed it failed, or the answer ended in the middle
     */
    JsonNode result() throws AdminClient.Failed {
        if (failure != null) {
            throw failure;
        }
        if (result == null) {
            throw new AdminClient.Failed(
                    ExitCode.UNAVAILABLE, "the bridge's answer ended in the middle; how far it came is in its log");
        }
        return result;
    }
}
