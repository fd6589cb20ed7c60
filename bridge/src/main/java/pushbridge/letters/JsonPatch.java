package pushbridge.letters;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Changes to a JSON document (RFC 6902): add, remove, replace, move, copy, test. Immutable. */
public final class JsonPatch {

    /** A patch that cannot be applied to a document, or is none. */
    static final class PatchException extends Exception {
        private static final long serialVersionUID = 1;

        PatchException(String sentence) {
            super(sentence, null, false, false);
        }
    }

    private record Operation(
            String name,
            List<String> path,
            List<String> from,
            @Nullable JsonNode value) {}

    private final JsonNode source;
    private final List<Operation> operations;

    private JsonPatch(JsonNode source, List<Operation> operations) {
        this.source = source;
        this.operations = operations;
    }

    /**
     * Reads a patch.
     *
     * @throws LetterException it is none
     */
    public static JsonPatch parse(String text) throws LetterException {
        try {
            return of(LetterJson.MAPPER.readTree(text));
        } catch (JacksonException e) {
            throw LetterException.invalid("the patch is not JSON: " + Printable.line(e.getOriginalMessage()));
        }
    }

    static JsonPatch of(JsonNode source) throws LetterException {
        if (!source.isArray()) {
            throw LetterException.invalid("a patch is a list of operations (RFC 6902), such as"
                    + " [{\"op\":\"move\",\"from\":\"/payload/ID\",\"path\":\"/payload/id\"}]");
        }
        List<Operation> operations = new ArrayList<>();
        for (JsonNode each : source) {
            operations.add(operation(each));
        }
        return new JsonPatch(source, operations);
    }

    private static Operation operation(JsonNode json) throws LetterException {
        String name = json.path("op").asString("");
        boolean needsFrom = name.equals("move") || name.equals("copy");
        boolean needsValue = name.equals("add") || name.equals("replace") || name.equals("test");
        if (!needsFrom && !needsValue && !name.equals("remove")) {
            throw LetterException.invalid("the patch has an operation " + Printable.quoted(name)
                    + ": it is add, remove, replace, move, copy or test");
        }
        JsonNode value = json.get("value");
        if (needsValue && value == null) {
            throw LetterException.invalid("the operation " + name + " of the patch needs a value");
        }
        return new Operation(
                name, pointer(json, "path"), needsFrom ? pointer(json, "from") : List.of(), needsValue ? value : null);
    }

    private static List<String> pointer(JsonNode operation, String member) throws LetterException {
        JsonNode pointer = operation.path(member);
        if (!pointer.isString()) {
            throw LetterException.invalid(
                    "an operation of the patch needs " + member + ", a JSON pointer such as /payload/id");
        }
        String text = pointer.stringValue();
        if (!text.isEmpty() && !text.startsWith("/")) {
            throw LetterException.invalid(
                    member + " " + Printable.quoted(text) + " of the patch is no JSON pointer: it begins with /");
        }
        return tokens(text);
    }

    /** The reference tokens of a JSON pointer (RFC 6901). */
    static List<String> tokens(String pointer) {
        List<String> tokens = new ArrayList<>();
        if (!pointer.isEmpty()) {
            for (String token : pointer.substring(1).split("/", -1)) {
                tokens.add(token.replace("~1", "/").replace("~0", "~"));
            }
        }
        return tokens;
    }

    /** For a request. */
    JsonNode source() {
        return source;
    }

    /** A changed copy of the document. */
    JsonNode apply(JsonNode document) throws PatchException {
        JsonNode root = document.deepCopy();
        for (Operation operation : operations) {
            root = apply(operation, root);
        }
        return root;
    }

    private static JsonNode apply(Operation operation, JsonNode root) throws PatchException {
        JsonNode value = operation.value;
        return switch (operation.name) {
            case "add" -> add(root, operation.path, copy(value));
            case "replace" -> {
                find(root, operation.path);
                JsonNode without = operation.path.isEmpty() ? root : remove(root, operation.path);
                yield add(without, operation.path, copy(value));
            }
            case "remove" -> remove(root, operation.path);
            case "move" -> {
                JsonNode moved = find(root, operation.from);
                yield add(remove(root, operation.from), operation.path, moved);
            }
            case "copy" -> add(root, operation.path, find(root, operation.from).deepCopy());
            default -> {
                if (!find(root, operation.path).equals(value)) {
                    throw new PatchException(shown(operation.path) + " is not what the patch tests for");
                }
                yield root;
            }
        };
    }

    private static JsonNode copy(@Nullable JsonNode value) {
        if (value == null) {
            throw new IllegalStateException("checked when it was read");
        }
        return value.deepCopy();
    }

    private static JsonNode find(JsonNode root, List<String> path) throws PatchException {
        JsonNode at = root;
        for (String token : path) {
            at = at instanceof ArrayNode array
                    ? array.path(index(array, token, array.size() - 1, path))
                    : at.path(token);
        }
        if (at.isMissingNode()) {
            throw new PatchException(shown(path) + " is not there");
        }
        return at;
    }

    private static JsonNode add(JsonNode root, List<String> path, JsonNode value) throws PatchException {
        if (path.isEmpty()) {
            return value;
        }
        String last = path.get(path.size() - 1);
        JsonNode parent = find(root, path.subList(0, path.size() - 1));
        if (parent instanceof ObjectNode object) {
            object.set(last, value);
        } else if (parent instanceof ArrayNode array) {
            array.insert(last.equals("-") ? array.size() : index(array, last, array.size(), path), value);
        } else {
            throw new PatchException(shown(path) + " is in nothing that could hold it");
        }
        return root;
    }

    private static JsonNode remove(JsonNode root, List<String> path) throws PatchException {
        if (path.isEmpty()) {
            throw new PatchException("the whole document cannot be removed");
        }
        find(root, path);
        String last = path.get(path.size() - 1);
        JsonNode parent = find(root, path.subList(0, path.size() - 1));
        if (parent instanceof ObjectNode object) {
            object.remove(last);
        } else if (parent instanceof ArrayNode array) {
            array.remove(index(array, last, array.size() - 1, path));
        }
        return root;
    }

    private static int index(ArrayNode array, String token, int most, List<String> path) throws PatchException {
        if (token.matches("0|[1-9][0-9]{0,8}") && Integer.parseInt(token) <= most) {
            return Integer.parseInt(token);
        }
        throw new PatchException(shown(path) + " is not there: the list has " + array.size() + " elements");
    }

    private static String shown(List<String> path) {
        StringBuilder text = new StringBuilder();
        path.forEach(token -> text.append('/').append(token.replace("~", "~0").replace("/", "~1")));
        return text.toString();
    }
}
