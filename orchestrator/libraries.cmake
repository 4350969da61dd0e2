room_libraries(orchestrator PkgConfig::sqlite3 PkgConfig::pcre2)
