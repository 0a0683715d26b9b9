import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Runs hmt-mock while the tests of a class do, and resets it before each test:
 *
 * <pre>
 * {@literal @}RegisterExtension
 * static final HmtMock mock = new HmtMock("spec.yaml");
 * </pre>
 */
public final class HmtMock implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
    private final List<String> command = new ArrayList<>(List.of("hmt-mock", "-p", "0", "-a", "0"));
    private final HttpClient client = HttpClient.newHttpClient();
    private Process process;
    private String url;
    private String adminUrl;

    /** The arguments are a spec, and flags of hmt-mock(1). */
    public HmtMock(String... arguments) {
        command.addAll(List.of(arguments));
    }

    /** Where clients send their requests. */
    public String url() {
        return url;
    }

    /** Adds a stub: {"match": …, "answer": …, "times": …}. */
    public void override(String json) throws IOException, InterruptedException {
        admin("POST", "/overrides", json);
    }

    /** The journal as JSON; the filters are those of GET /admin/requests, as in "path=/users/{id}&amp;count=true". */
    public String requests(String filters) throws IOException, InterruptedException {
        return admin("GET", "/requests?" + filters.replace("{", "%7B").replace("}", "%7D"), "");
    }

    /** Removes the overrides, the journal and stored changes. */
    public void reset() throws IOException, InterruptedException {
        admin("DELETE", "/overrides", "");
        admin("DELETE", "/requests", "");
        admin("POST", "/storage/reset", "");
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        process = new ProcessBuilder(command).start();
        BufferedReader lines = new BufferedReader(new InputStreamReader(process.getErrorStream()));
        List<String> said = new ArrayList<>();
        for (String line; adminUrl == null && (line = lines.readLine()) != null; said.add(line)) {
            if (line.startsWith("listening on ")) url = line.substring("listening on ".length());
            if (line.startsWith("admin on ")) adminUrl = line.substring("admin on ".length());
        }
        if (adminUrl == null) throw new IOException("hmt-mock did not start: " + String.join("\n", said));
        Thread reader = new Thread(() -> lines.lines().forEach(line -> {}));
        reader.setDaemon(true);
        reader.start();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException, InterruptedException {
        reset();
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    private String admin(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(adminUrl + path))
            .method(method, BodyPublishers.ofString(body)).build();
        var response = client.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 400) throw new IOException(method + " " + path + ": " + response.body());
        return response.body();
    }
}
