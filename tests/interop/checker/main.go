// Checks a published journal with golang.org/x/mod/sumdb, the libraries behind Go's checksum database.
//
//	checker -vkey KEY [-old NOTE] [-proof FILE -leaf FILE] DIR
//
// The signature; every tile and every entry against the signed root; that the tree of an older note is a beginning of
// this one; and a tlog-proof of one entry. Prints one line. Exit code 1: something does not hold.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// directory reads tiles of C2SP tlog-tiles: tile/0/000 and tile/entries/000, where sumdb has tile/8/0/000 and
// tile/8/data/000.
type directory string

func (d directory) Height() int                                { return 8 }
func (d directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		raw, err := d.read(tile)
		if err != nil {
			return nil, err
		}
		data = append(data, raw)
	}
	return data, nil
}

func (d directory) read(tile tlog.Tile) ([]byte, error) {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return os.ReadFile(filepath.Join(string(d), strings.Replace(path, "tile/data/", "tile/entries/", 1)))
}

// head opens a signed note. The first line of a checksum database's notes is another, the rest is the same.
func head(raw []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(signed.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, errors.New("the checkpoint is of another journal")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// entries compares every entry with the hash that the signed root gives it.
func entries(d directory, tree tlog.Tree, hashes tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += 256 {
		width := min(256, tree.N-start)
		bundle, err := d.read(tlog.Tile{H: 8, L: -1, N: start / 256, W: int(width)})
		if err != nil {
			return err
		}
		var places []int64
		for i := int64(0); i < width; i++ {
			places = append(places, tlog.StoredHashIndex(0, start+i))
		}
		wanted, err := hashes.ReadHashes(places)
		if err != nil {
			return err
		}
		for i, hash := range wanted {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("the bundle of entry %d is cut off", start+int64(i))
			}
			size := int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:2+size]) != hash {
				return fmt.Errorf("entry %d is not the one that was signed", start+int64(i))
			}
			bundle = bundle[2+size:]
		}
		if len(bundle) != 0 {
			return errors.New("a bundle holds more than its entries")
		}
	}
	return nil
}

// consistent checks that an older note's tree is a beginning of this one.
func consistent(path string, verifier note.Verifier, tree tlog.Tree, hashes tlog.HashReader) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, err := head(raw, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// included checks a tlog-proof, with the checkpoint that it carries.
func included(path, leafPath string, verifier note.Verifier) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	leaf, err := os.ReadFile(leafPath)
	if err != nil {
		return err
	}
	lines, checkpoint, _ := bytes.Cut(raw, []byte("\n\n"))
	tree, err := head(checkpoint, verifier)
	if err != nil {
		return err
	}
	fields := strings.Split(string(lines), "\n")
	if len(fields) < 2 || fields[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(fields[1], "index ") {
		return errors.New("this is no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(fields[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, field := range fields[2:] {
		hash, err := tlog.ParseHash(field)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

func run() error {
	vkey := flag.String("vkey", "", "the journal's verifier key")
	old := flag.String("old", "", "a checkpoint that was kept")
	proof := flag.String("proof", "", "a tlog-proof")
	leaf := flag.String("leaf", "", "the entry that it proves")
	flag.Parse()
	verifier, err := note.NewVerifier(*vkey)
	if err != nil {
		return err
	}
	d := directory(flag.Arg(0))
	raw, err := os.ReadFile(filepath.Join(string(d), "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := head(raw, verifier)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, d)
	if err := entries(d, tree, hashes); err != nil {
		return err
	}
	if *old != "" {
		if err := consistent(*old, verifier, tree, hashes); err != nil {
			return err
		}
	}
	if *proof != "" {
		if err := included(*proof, *leaf, verifier); err != nil {
			return err
		}
	}
	fmt.Printf("%d entries\n", tree.N)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
