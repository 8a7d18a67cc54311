// The page: its parts, then the connection. typing.js comes first, because its listeners decide what others hear.
import "/typing.js";
import "/layouts.js";
import "/pictures.js";
import "/strip.js";
import "/tempo.js";
import "/beat.js";
import "/sound.js";
import "/figures.js";
import "/inspector.js";
import "/live.js";
import "/web_midi.js";
import "/favourites.js";
import "/follow.js";
import "/sources.js";
import "/drop.js";
import "/prompts.js";
import "/go.js";
import "/cues.js";
import "/cue_run.js";
import "/panic.js";
import "/arrivals.js";
import "/complaints.js";
import "/help.js";
import "/undo.js";
import "/keys.js";
import { connect } from "/connection.js";

connect();
