cache create ring size=64 debug=F
set s [sweep { alloc ring 4 }]
foreach round [dict get $s rounds] {
    puts "[dict get $round nth] [dict get $round outcome]"
}
puts [dict get $s complete]
