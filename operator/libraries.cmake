room_libraries(operator lazy::git2 lazy::jq)
