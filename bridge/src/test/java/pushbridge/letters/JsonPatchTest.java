package pushbridge.letters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class JsonPatchTest {

    private static JsonNode json(String text) {
        return LetterJson.MAPPER.readTree(text.replace('\'', '"'));
    }

    private static JsonNode apply(String document, String patch) throws Exception {
        return JsonPatch.parse(patch.replace('\'', '"')).apply(json(document));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'a':1}         | [{'op':'add','path':'/b','value':2}]                | {'a':1,'b':2}
            {'a':1}         | [{'op':'add','path':'','value':[]}]                 | []
            {'a':[1,3]}     | [{'op':'add','path':'/a/1','value':2}]              | {'a':[1,2,3]}
            {'a':[1]}       | [{'op':'add','path':'/a/-','value':2}]              | {'a':[1,2]}
            {'a':1,'b':2}   | [{'op':'remove','path':'/a'}]                       | {'b':2}
            {'a':[1,2,3]}   | [{'op':'remove','path':'/a/0'}]                     | {'a':[2,3]}
            {'a':[1,2,3]}   | [{'op':'replace','path':'/a/1','value':'x'}]        | {'a':[1,'x',3]}
            {'a':1}         | [{'op':'replace','path':'','value':2}]              | 2
            {'a':{'b':1}}   | [{'op':'move','from':'/a/b','path':'/c'}]           | {'a':{},'c':1}
            {'a':{'b':1}}   | [{'op':'copy','from':'/a','path':'/c'}]             | {'a':{'b':1},'c':{'b':1}}
            {'a/b':1,'~':2} | [{'op':'remove','path':'/a~1b'},{'op':'remove','path':'/~0'}] | {}
            {'a':null}      | [{'op':'test','path':'/a','value':null},{'op':'add','path':'/a','value':1}] | {'a':1}
            """)
    void doesAsTheStandardSays(String document, String patch, String expected) throws Exception {
        assertThat(apply(document, patch)).isEqualTo(json(expected));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'a':1}   | [{'op':'remove','path':'/b'}]                     | /b is not there
            {'a':1}   | [{'op':'replace','path':'/b','value':1}]          | /b is not there
            {'a':1}   | [{'op':'add','path':'/a/b','value':1}]            | /a/b is in nothing that could hold it
            {'a':[1]} | [{'op':'add','path':'/a/2','value':1}]            | the list has 1 elements
            {'a':[1]} | [{'op':'remove','path':'/a/01'}]                  | /a/01 is not there
            {'a':1}   | [{'op':'test','path':'/a','value':2}]             | /a is not what the patch tests for
            {'a':1}   | [{'op':'move','from':'/b','path':'/c'}]           | /b is not there
            """)
    void saysWhyItDoesNotFit(String document, String patch, String why) {
        assertThatThrownBy(() -> apply(document, patch)).hasMessageContaining(why);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[{'op':'jump','path':'/a'}]",
                "[{'op':'add','path':'/a'}]",
                "[{'op':'add','path':'a','value':1}]",
                "[{'op':'move','path':'/a'}]",
                "[1]",
                "nonsense"
            })
    void whatIsNoPatchIsRefused(String patch) {
        assertThatThrownBy(() -> JsonPatch.parse(patch.replace('\'', '"'))).isInstanceOf(LetterException.class);
    }

    @Test
    void theDocumentStaysAsItWas() throws Exception {
        JsonNode document = json("{'a':{'b':1}}");
        JsonPatch.parse("[{\"op\":\"remove\",\"path\":\"/a/b\"}]").apply(document);
        assertThat(document).isEqualTo(json("{'a':{'b':1}}"));
    }
}
