room_libraries(orchestrator lazy::sqlite3 PkgConfig::pcre2)
