package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import pushbridge.delivery.CloseCode;
import pushbridge.envelope.DeadLetterReason;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** {@code schemas/asyncapi.yaml} says what the schemas and the code say. */
class AsyncApiTest {

    private static final Path SCHEMAS = Path.of(System.getProperty("pushbridge.root"), "schemas");

    private final JsonNode document = new YAMLMapper().readTree(SCHEMAS.resolve("asyncapi.yaml"));

    @Test
    void everyReferenceLeadsSomewhere() {
        List<String> references = document.findValuesAsString("$ref");
        assertThat(references).hasSizeGreaterThan(20).allSatisfy(reference -> {
            if (reference.startsWith("#")) {
                assertThat(document.at(reference.substring(1)).isMissingNode()).isFalse();
            } else {
                assertThat(SCHEMAS.resolve(reference)).isRegularFile();
            }
        });
    }

    @Test
    void itsExamplesKeepTheSchemas() throws Exception {
        List<String> checked = new ArrayList<>();
        for (Map.Entry<String, JsonNode> message :
                document.at("/components/messages").properties()) {
            String file = message.getValue().at("/payload/schema/$ref").asString("");
            if (file.isEmpty()) {
                continue;
            }
            Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                    .getSchema(new ObjectMapper().readTree(Files.readAllBytes(SCHEMAS.resolve(file))));
            for (JsonNode example : message.getValue().path("examples")) {
                assertThat(schema.validate(example.path("payload")))
                        .as("%s of %s", example.path("name"), message.getKey())
                        .isEmpty();
                checked.add(message.getKey());
            }
        }
        assertThat(checked).contains("instruction", "envelope", "serverFrame", "clientFrame");
    }

    @Test
    void itHasTheCloseCodesOfTheBridge() {
        Map<String, String> written = new TreeMap<>();
        document.at("/channels/socket/x-close-codes")
                .properties()
                .forEach(code -> written.put(code.getKey(), code.getValue().asString()));
        Map<String, String> real = new TreeMap<>();
        for (CloseCode code : CloseCode.values()) {
            real.put(String.valueOf(code.number()), code.slug());
        }
        assertThat(written).isEqualTo(real);
    }

    @Test
    void itHasTheReasonsAndHeadersOfDeadLetters() {
        JsonNode headers = document.at("/components/messages/letter/headers/properties");
        assertThat(headers.at("/x-push-reason/enum").valueStream().map(JsonNode::asString))
                .containsExactlyElementsOf(Stream.of(DeadLetterReason.values())
                        .map(DeadLetterReason::slug)
                        .toList());
        assertThat(headers.propertyNames())
                .containsExactlyInAnyOrder(
                        LetterHeaders.REASON,
                        LetterHeaders.DETAIL,
                        LetterHeaders.ADDRESS,
                        LetterHeaders.FAILED_AT,
                        LetterHeaders.DELIVERIES,
                        LetterHeaders.NODE,
                        LetterHeaders.COPY_ID);
    }
}
