package pushbridge.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import pushbridge.config.SocketLimits;
import pushbridge.testing.ManualClock;

class AddressesTest {

    private final ManualClock clock = new ManualClock();
    private final Addresses addresses = new Addresses(new SocketLimits(3, 1_000, 2, 100), clock);

    @Test
    void anIpv6NetworkIsOneAddress() throws Exception {
        assertThat(Addresses.of(InetAddress.getByName("2001:db8:1:2:3:4:5:6")))
                .isEqualTo(Addresses.of(InetAddress.getByName("2001:db8:1:2::1")))
                .isEqualTo("2001:db8:1:2:0:0:0:0/64")
                .isNotEqualTo(Addresses.of(InetAddress.getByName("2001:db8:1:3::1")));
        assertThat(Addresses.of(InetAddress.getByName("192.0.2.1"))).isEqualTo("192.0.2.1");
        assertThat(Addresses.of(InetAddress.getByName("::ffff:192.0.2.1"))).isEqualTo("192.0.2.1");
    }

    @Test
    void whoLeavesIsForgotten() {
        assertThat(addresses.enter("a")).isEqualTo(1);
        assertThat(addresses.enter("a")).isEqualTo(2);
        addresses.leave("a");
        assertThat(addresses.enter("a")).isEqualTo(2);
        addresses.leave("a");
        addresses.leave("a");
        assertThat(addresses.connected()).isZero();
    }

    @Test
    void handshakesAreCountedForEachAddressAlone() {
        for (int i = 0; i < 20; i++) {
            assertThat(addresses.mayShakeHands("a")).as("handshake %d", i).isTrue();
        }
        assertThat(addresses.mayShakeHands("a")).isFalse();
        assertThat(addresses.mayShakeHands("b")).isTrue();
        clock.advance(Duration.ofMillis(500));
        assertThat(addresses.mayShakeHands("a")).isTrue();
        assertThat(addresses.mayShakeHands("a")).isFalse();
    }

    @Test
    void noMoreAddressesAreRememberedThanThereIsRoomFor() { // I5
        for (int i = 0; i < Addresses.REMEMBERED * 3; i++) {
            addresses.mayShakeHands("address " + i);
        }
        assertThat(addresses.remembered()).isEqualTo(Addresses.REMEMBERED);
    }
}
