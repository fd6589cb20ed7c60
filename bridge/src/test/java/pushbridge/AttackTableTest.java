package pushbridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documents name tests as proof of what they say; a proof must be there. */
final class AttackTableTest {

    private static final Path BRIDGE = Path.of(System.getProperty("pushbridge.root"), "bridge");

    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w+(?:Test|IT))\\.(\\w+)`");

    @Test
    void everyTestThatIsNamedExists() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.walk(BRIDGE.resolve("src/test/java"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
            }
        }
        String architecture = Files.readString(BRIDGE.resolve("ARCHITECTURE.md"));
        List<MatchResult> named = NAMED.matcher(architecture).results().toList();
        assertThat(named)
                .hasSizeGreaterThan(40)
                .allSatisfy(test -> assertThat(sources.getOrDefault(test.group(1), ""))
                        .as(test.group())
                        .contains("    void " + test.group(2) + "("));
    }

    @Test
    void everyAttackHasATest() throws IOException {
        List<String> lines = Files.readAllLines(BRIDGE.resolve("ARCHITECTURE.md"));
        int table = lines.indexOf("| attack | what happens | test |");
        assertThat(table).isPositive();
        assertThat(lines.subList(table + 2, lines.size()).stream().takeWhile(line -> line.startsWith("|")))
                .hasSizeGreaterThan(40)
                .allMatch(line -> line.matches("\\|[^|]+\\|[^|]+\\| .*`[\\w.*]+(Test|IT)[\\w.]*`.* \\|"));
    }
}
