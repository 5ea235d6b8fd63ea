//! The text in which PostgreSQL 15 tells the blocks of a record.
//!
//! `blkref #0: rel 1663/16642/16549 fork main blk 333 (FPW); hole: offset: 32, length: 7416 blkref #1: rel …`: for each
//! block tablespace, database and file of its relation, the fork, and the number of the block. A full-page image has a remark
//! behind it, of which only that it is there matters: its bytes are in a column of their own. See `XLogRecGetBlockRefInfo` in
//! `src/backend/access/rmgrdesc/xlogdesc.c`.

use super::relations::Location;

/// How each block begins.
const BLOCK: &str = "blkref #";

/// A block that a record changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRef {
    /// Its number in the record; numbers may be left out.
    pub id: u8,
    /// The tablespace by its OID.
    pub tablespace: u32,
    /// The database by its OID; 0 for what all databases share.
    pub database: u32,
    /// The number of the relation's file.
    pub filenode: u32,
    /// `main`, `fsm`, `vm` or `init`.
    pub fork: String,
    /// The number of the block in the fork.
    pub block: u32,
    /// Whether the record has an image of the whole block.
    pub has_image: bool,
}

/// A text that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the block reference `{0}` can't be read; this version of PostgreSQL writes them in another way")]
pub struct Unreadable(pub String);

impl BlockRef {
    pub(super) fn location(&self) -> Location {
        Location { tablespace: self.tablespace, database: self.database, filenode: self.filenode }
    }
}

/// Reads the blocks of a record in their order; none of an empty text.
pub fn parse(text: &str) -> Result<Vec<BlockRef>, Unreadable> {
    let text = text.trim();
    let unreadable = || Unreadable(text.to_owned());
    let mut blocks = text.split(BLOCK);
    // What stands before the first one.
    if blocks.next().is_some_and(|before| !before.is_empty()) {
        return Err(unreadable());
    }
    blocks.map(|block| one(block).ok_or_else(unreadable)).collect()
}

/// `0: rel 1663/16642/16549 fork main blk 333 (FPW); …`
fn one(text: &str) -> Option<BlockRef> {
    let (id, rest) = text.split_once(": rel ")?;
    let (relation, rest) = rest.split_once(" fork ")?;
    let (fork, rest) = rest.split_once(" blk ")?;
    let (block, remark) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut numbers = relation.split('/').map(|number| number.parse().ok());
    let (tablespace, database, filenode) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_fork = matches!(fork, "main" | "fsm" | "vm" | "init");
    if numbers.next().is_some() || !is_fork {
        return None;
    }
    Some(BlockRef {
        id: id.parse().ok()?,
        tablespace,
        database,
        filenode,
        fork: fork.to_owned(),
        block: block.parse().ok()?,
        has_image: remark.starts_with("(FPW"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(id: u8, filenode: u32, block: u32, has_image: bool) -> BlockRef {
        let fork = "main".to_owned();
        BlockRef { id, tablespace: 1663, database: 16642, filenode, fork, block, has_image }
    }

    #[test]
    fn what_a_server_has_written_is_read() {
        // From PostgreSQL 15.
        for (text, blocks) in [
            ("", vec![]),
            ("blkref #0: rel 1663/16642/16649 fork main blk 114", vec![block(0, 16649, 114, false)]),
            (
                "blkref #0: rel 1663/16642/16549 fork main blk 333 (FPW); hole: offset: 32, length: 7416",
                vec![block(0, 16549, 333, true)],
            ),
            (
                "blkref #0: rel 1663/16642/16649 fork main blk 0 blkref #1: rel 1663/16642/16649 fork main blk 114",
                vec![block(0, 16649, 0, false), block(1, 16649, 114, false)],
            ),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&blocks), "{text}");
        }
        let compressed = "blkref #0: rel 1663/16642/16549 fork main blk 3 (FPW for WAL verification); hole: offset: 32, \
                          length: 7416, compression saved: 100, method: lz4 blkref #2: rel 1663/16642/16550 fork vm blk 0";
        let blocks = parse(compressed).unwrap();
        assert_eq!((blocks[0].has_image, blocks[1].id, blocks[1].fork.as_str()), (true, 2, "vm"));
    }

    #[test]
    fn anything_else_is_refused_with_its_text() {
        for wrong in [
            "x",
            "blkref",
            "blkref #",
            "blkref #0: rel 1/2 fork main blk 1",
            "blkref #0: rel 1/2/3/4 fork main blk 1",
            "blkref #0: rel 1/2/3 fork main blk ",
            "blkref #0: rel 1/2/3 fork other blk 1",
            "blkref #0: rel 1/2/x fork main blk 1",
            "rel 1/2/3 blkref #0: rel 1/2/3 fork main blk 1",
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong.trim()), "{error}");
        }
    }

    fn any_block() -> impl Strategy<Value = BlockRef> {
        let fork = prop::sample::select(vec!["main", "fsm", "vm", "init"]);
        let numbers = (any::<u8>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
        (numbers, fork, any::<bool>()).prop_map(
            |((id, tablespace, database, filenode, block), fork, has_image)| BlockRef {
                id,
                tablespace,
                database,
                filenode,
                fork: fork.to_owned(),
                block,
                has_image,
            },
        )
    }

    fn written(block: &BlockRef) -> String {
        let BlockRef { id, tablespace, database, filenode, fork, block, has_image } = block;
        let image = if *has_image { " (FPW); hole: offset: 32, length: 7416" } else { "" };
        format!("blkref #{id}: rel {tablespace}/{database}/{filenode} fork {fork} blk {block}{image}")
    }

    proptest! {
        #[test]
        fn whatever_blocks_a_record_has_they_are_read_back(blocks in prop::collection::vec(any_block(), 0..6)) {
            let text: Vec<String> = blocks.iter().map(written).collect();
            prop_assert_eq!(parse(&text.join(" ")), Ok(blocks));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
