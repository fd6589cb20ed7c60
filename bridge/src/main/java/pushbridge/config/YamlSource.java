package pushbridge.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLParser;

/**
 * Reads a YAML file as a stream of events rather than into a tree, because only events know their line. Keys may be
 * nested, dotted or both.
 */
final class YamlSource {
    /** The one message of the parser that repeats what stands in the file. */
    private static final Pattern UNDEFINED_TAG = Pattern.compile("(found undefined tag handle).*", Pattern.DOTALL);

    private final Path file;
    private final KeyNames names;
    private final Problems problems;
    private final List<Setting> settings = new ArrayList<>();
    private final Map<String, Integer> lineOfName = new HashMap<>();

    private YamlSource(Path file, KeyNames names, Problems problems) {
        this.file = file;
        this.names = names;
        this.problems = problems;
    }

    /** What stands in the file; null when it could not be read to its end, which has then been reported. */
    static @Nullable List<Setting> read(Path file, KeyNames names, Problems problems) {
        YamlSource source = new YamlSource(file, names, problems);
        try {
            return source.document(Files.readString(file)) ? source.settings : null;
        } catch (NoSuchFileException e) {
            problems.add(file + ": there is no such file");
        } catch (CharacterCodingException e) {
            problems.add(file + ": it is not valid UTF-8");
        } catch (IOException e) {
            problems.add(file + ": it cannot be read (" + e.getClass().getSimpleName() + ")");
        } catch (JacksonException e) {
            problems.add(file + malformed(e));
        }
        return null;
    }

    /** Without the message of the parser, which quotes the lines around and so perhaps a secret. */
    private static String malformed(JacksonException e) {
        if (e.getCause() instanceof MarkedYamlEngineException yaml
                && yaml.getProblemMark().isPresent()) {
            var mark = yaml.getProblemMark().get();
            return " line " + (mark.getLine() + 1) + " column " + (mark.getColumn() + 1) + ": this is not valid YAML: "
                    + UNDEFINED_TAG.matcher(yaml.getProblem()).replaceFirst("$1");
        }
        if (e.getLocation() != null) {
            return " line " + e.getLocation().getLineNr() + " column "
                    + e.getLocation().getColumnNr() + ": this is not valid YAML";
        }
        return ": this is not valid YAML";
    }

    /** False when this is no document that could hold keys. */
    private boolean document(String text) {
        try (JsonParser parser = new YAMLMapper().createParser(text)) {
            JsonToken first = parser.nextToken();
            if (first == null || first == JsonToken.VALUE_NULL) {
                return true;
            }
            if (first != JsonToken.START_OBJECT) {
                problems.add(file + ": it must start with the key pushbridge");
                return false;
            }
            object("", parser);
            if (parser.nextToken() != null) {
                problems.add(file + " line " + line(parser) + ": a second YAML document starts here; only one is read");
            }
            return true;
        }
    }

    private void object(String prefix, JsonParser parser) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = prefix + parser.currentName();
            int line = line(parser);
            Origin origin = Origin.file(file, line);
            JsonToken value = parser.nextToken();
            if (value == JsonToken.START_OBJECT) {
                object(name + ".", parser);
            } else if (value == JsonToken.START_ARRAY) {
                List<String> items = items(name, origin, parser);
                Setting setting = setting(name, String.join(",", items), line);
                if (setting != null
                        && (setting.isTwin() || !setting.key().type().isList())) {
                    problems.add(name, origin, "a list is not allowed here; write one value");
                } else if (setting != null) {
                    settings.add(setting);
                }
            } else if (value == JsonToken.VALUE_NULL) {
                // A section whose keys are all commented out says nothing wrong.
                if (!names.isSection(name) && setting(name, "", line) != null) {
                    problems.add(name, origin, "it has no value; remove the key or give it one");
                }
            } else {
                Setting setting = setting(name, scalar(name, origin, parser), line);
                if (setting != null) {
                    settings.add(setting);
                }
            }
        }
    }

    /** Null for an unknown key, which has then been reported. */
    private @Nullable Setting setting(String name, String text, int line) {
        Origin origin = Origin.file(file, line);
        Setting setting = names.setting(name, text, origin);
        if (setting == null) {
            problems.add(KeyNames.shown(name), origin, names.unknown(name));
            return null;
        }
        Integer earlier = lineOfName.putIfAbsent(name, line);
        if (earlier != null) {
            problems.add(name, origin, "it is already set in line " + earlier);
        }
        return setting;
    }

    private List<String> items(String name, Origin origin, JsonParser parser) {
        List<String> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token.isStructStart() || token == JsonToken.VALUE_NULL) {
                problems.add(KeyNames.shown(name), origin, "an item of its list is not a plain value");
                parser.skipChildren();
            } else {
                items.add(scalar(name, origin, parser));
            }
        }
        return items;
    }

    private String scalar(String name, Origin origin, JsonParser parser) {
        if (((YAMLParser) parser).isCurrentAlias()) {
            problems.add(KeyNames.shown(name), origin, "an alias (*name) is not read; write the value itself");
        }
        return parser.getString();
    }

    private static int line(JsonParser parser) {
        return parser.currentTokenLocation().getLineNr();
    }
}
