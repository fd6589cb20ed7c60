package pushbridge.config;

import java.time.Duration;

/**
 * How the delivery loop paces itself.
 *
 * @param windowMessages messages of one address that may be in flight
 * @param windowBytes bytes of one address that may be in flight; one message always may
 * @param holdAfter how long a message may stay unsettled before its copy goes elsewhere
 * @param fanoutPatience how long a fan-out waits for full outboxes that are being read
 * @param maxRequests requests of one client that may wait for the loop
 * @param maxChannels channels one connection may subscribe to
 * @param rememberedConnections closed connections of which it is remembered whether anything has gone past them
 */
public record DeliveryConfig(
        int windowMessages,
        int windowBytes,
        Duration holdAfter,
        Duration fanoutPatience,
        int maxRequests,
        int maxChannels,
        int rememberedConnections) {}
