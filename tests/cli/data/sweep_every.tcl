cache create ring size=1000
sweep {
    alloc ring 2 as a b
    kmalloc 100 as k
    set k [krealloc $k 300]
    kmalloc 20000
    free $a
}
# what the last round did stays
alloc ring as c
expect {$b eq "ring:S1#1"}
