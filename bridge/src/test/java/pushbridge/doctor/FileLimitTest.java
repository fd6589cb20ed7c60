package pushbridge.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import pushbridge.config.BridgeConfig;
import pushbridge.config.ConfigException;
import pushbridge.config.ConfigLoader;
import pushbridge.config.ConfigSources;
import pushbridge.config.Machine;

final class FileLimitTest {

    @Test
    void aLimitBelowWhatTheConnectionsNeedIsSaidWithWhatToDo() throws ConfigException {
        BridgeConfig config = config(20_000);
        assertThat(FileLimit.warning(config, 22_764)).isNull();
        assertThat(FileLimit.warning(config, 22_763))
                .contains("may open 22763 files", "can need 22764", "ulimit -n 22764", "LimitNOFILE");
    }

    @Test
    void followingTheAdviceHelps() throws ConfigException {
        for (long limit : new long[] {1_024, 4_096, 65_536}) {
            String warning = String.valueOf(FileLimit.warning(config(1_000_000), limit));
            assertThat(warning).contains("max-connections to ");
            int advised = Integer.parseInt(warning.substring(warning.lastIndexOf(' ') + 1));
            assertThat(FileLimit.warning(config(advised), limit)).as(warning).isNull();
            assertThat(advised).isGreaterThan((int) (limit - 400) / 2);
        }
    }

    @Test
    void theLimitOfThisProcessIsKnownOnUnix() {
        assertThat(FileLimit.ofThisProcess().orElse(1_000)).isPositive();
    }

    private static BridgeConfig config(int connections) throws ConfigException {
        return new ConfigLoader(new Machine(2L << 30, 2))
                .load(new ConfigSources(
                        null,
                        java.util.Map.of(),
                        java.util.List.of("auth.mode=dev", "socket.max-connections=" + connections)))
                .values();
    }
}
