package pushbridge.admin;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import pushbridge.letters.LetterJson;
import pushbridge.letters.Progress;
import tools.jackson.databind.JsonNode;

/**
 * Answers to what takes long: one JSON object a line. How far it has come, {@code {"done": 3, "of": 7}}, now and then; at
 * the end {@code {"result": …}}, or {@code {"error": …, "status": …, "detail": …}}, since the HTTP status has been sent by
 * then.
 */
public final class AnswerLines {

    private static final String TYPE = "application/jsonl; charset=utf-8";

    /** Between two lines about how far it has come. */
    private static final long PROGRESS_NANOS = 200_000_000;

    private AnswerLines() {}

    /** What is done. */
    @FunctionalInterface
    public interface Work {
        /**
         * Does it.
         *
         * @param lines for whatever else is told
         * @param progress answers that it is not to go on when the operator is gone
         * @return what came of it, for JSON
         */
        Object done(Lines lines, Progress progress) throws AdminException, InterruptedException, IOException;
    }

    /** Tells something in a line of its own. */
    @FunctionalInterface
    public interface Lines {
        /**
         * Sends it.
         *
         * @throws Gone the operator is gone
         */
        void tell(JsonNode line);
    }

    /** The operator is gone; ends the work. */
    public static final class Gone extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final IOException why;

        Gone(IOException why) {
            super(why);
            this.why = why;
        }
    }

    /** The answer that does it. */
    public static AdminAnswer.Streamed of(Work work) {
        return AdminAnswer.stream(TYPE, out -> run(out, work));
    }

    private static void run(AdminAnswer.Out out, Work work) throws IOException, InterruptedException {
        Map<String, Object> last = new LinkedHashMap<>();
        try {
            last.put("result", work.done(line -> tell(out, line), progress(out)));
        } catch (AdminException e) {
            last.put("error", e.code());
            last.put("status", e.status());
            last.put("detail", String.valueOf(e.getMessage()));
        } catch (Gone e) {
            throw e.why;
        }
        out.write(LetterJson.line(Json.MAPPER.valueToTree(last)) + "\n");
    }

    private static void tell(AdminAnswer.Out out, JsonNode line) {
        try {
            out.write(LetterJson.line(line) + "\n");
        } catch (IOException e) {
            throw new Gone(e);
        }
    }

    private static Progress progress(AdminAnswer.Out out) {
        return new Progress() {
            private long next = System.nanoTime() + PROGRESS_NANOS;
            private boolean gone;

            @Override
            public boolean at(long done, long of) {
                if (!gone && System.nanoTime() - next > 0) {
                    next = System.nanoTime() + PROGRESS_NANOS;
                    try {
                        out.write("{\"done\":" + done + ",\"of\":" + of + "}\n");
                    } catch (IOException e) {
                        gone = true;
                    }
                }
                return !gone;
            }
        };
    }
}
