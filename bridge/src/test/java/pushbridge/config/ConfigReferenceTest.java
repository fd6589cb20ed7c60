package pushbridge.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ConfigReferenceTest {

    @Test
    void generatedReferenceIsFresh() throws IOException {
        Path root = Path.of(Objects.requireNonNull(System.getProperty("pushbridge.root")));
        assertThat(Files.readString(root.resolve("bridge/CONFIGURATION.md")))
                .as("bridge/CONFIGURATION.md is not what the table of keys says; run: " + ConfigReference.REGENERATE)
                .isEqualTo(ConfigReference.markdown());
    }

    @Test
    void referenceNamesEveryKey() {
        assertThat(Keys.all()).hasSizeGreaterThan(40);
        assertThat(ConfigReference.markdown())
                .contains(Keys.all().stream().map(Key::fullName).toList())
                .contains(Keys.all().stream().map(Key::environmentName).toList())
                .isASCII();
    }

    @Test
    void everySentenceIsOne() {
        assertThat(Keys.all()).allSatisfy(key -> assertThat(key.sentence()).matches("[A-Z].*[^.]\\."));
    }
}
