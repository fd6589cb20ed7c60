package pushbridge.envelope;

public final class ServerFrames {
    private ServerFrames() {}

    public static String error(ClientError code, String detail, long seq) {
        return "{\"type\":\"bridge.error\",\"payload\":{\"code\":\"" + code + "\",\"detail\":\"" + detail
                + "\"},\"seq\":" + seq + "}";
    }

    public static String subscribed(String channel, boolean complete, long seq) {
        return "{\"type\":\"bridge.subscribed\",\"payload\":{\"channel\":\"" + channel + "\",\"complete\":" + complete
                + "},\"seq\":" + seq + "}";
    }

    public static String unsubscribed(String channel, long seq) {
        return "{\"type\":\"bridge.unsubscribed\",\"payload\":{\"channel\":\"" + channel + "\"},\"seq\":" + seq + "}";
    }
}
