room_libraries(orchestrator PkgConfig::sqlite3)
