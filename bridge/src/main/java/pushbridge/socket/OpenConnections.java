package pushbridge.socket;

import java.util.List;

/**
 * Some of the open WebSockets.
 *
 * @param open how many there are in all, those included that are being closed
 * @param matching how many of them were asked for
 * @param newest the newest of those, at most as many as were asked for, the newest first
 */
public record OpenConnections(int open, int matching, List<OpenConnection> newest) {}
