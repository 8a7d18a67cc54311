// The page: its parts, then the connection. typing.js comes first, because its listeners decide what others hear.
import "/typing.js";
import "/pictures.js";
import "/figures.js";
import "/panel.js";
import "/arrivals.js";
import { connect } from "/connection.js";

connect();
