import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** Does with JDBC what the other clients of test_wire_clients.py do, and prints how many rows there are. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        String address = arguments[0];
        try (Connection connection = DriverManager.getConnection(address, arguments[1], arguments[2])) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t (x int, y text)");
            }
            CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int n = 0; n < 900; n++) {
                lines.append(n).append("\tname ").append(n).append('\n');
            }
            copy.copyIn("COPY t FROM STDIN", new ByteArrayInputStream(lines.toString().getBytes("UTF-8")));
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
                for (int n = 900; n <= 1000; n++) {
                    insert.setInt(1, n);
                    insert.setString(2, "name " + n);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            copy.copyOut("COPY t TO STDOUT", new ByteArrayOutputStream());
            int count = 0;
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(100);
                try (ResultSet rows = statement.executeQuery("SELECT * FROM t")) {
                    while (rows.next()) {
                        count++;
                    }
                }
            }
            connection.commit();
            System.out.println(count);
        }
    }
}
