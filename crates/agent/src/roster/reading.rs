//! What reading a roster gives: households, what was refused and why, and how each sheet was understood.
//!
//! **Nothing is lost without a word**: a value is in a household, in the list of refused cells, or
//! counted under a column that this tool leaves behind on purpose.

use serde::{Serialize, Serializer};
use wangge_model::care::Care;
use wangge_model::id_number::{IdError, IdNumber};

/// Everything one file says.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Roster {
    /// Each sheet of the file, in its order, the skipped ones too.
    pub sheets: Vec<SheetReading>,
    /// The households of all sheets, in their order.
    pub households: Vec<RosterHousehold>,
    /// The values that were not taken; the rest of their rows was.
    pub refused: Vec<Refused>,
}

/// How one sheet was understood.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SheetReading {
    /// The sheet's name; of a CSV the file's name.
    pub sheet: String,
    /// Whether the workbook hides the sheet; it is read all the same.
    pub hidden: bool,
    /// How its rows are arranged; `None` for a sheet without a header row, which is skipped.
    pub layout: Option<Layout>,
    /// The header row as the spreadsheet counts it; the lower one where the header has two.
    pub header_row: Option<u32>,
    /// The columns that were read, from left to right.
    pub columns: Vec<ColumnReading>,
    /// The columns that were not, with the cells of households left in them.
    pub left_behind: Vec<LeftBehind>,
    /// The year the sheet says it is of; who is a child is judged by it.
    pub year: Option<u16>,
    /// Households found.
    pub households: u32,
    /// People found.
    pub people: u32,
    /// Rows of households whose own head count differs from the people found.
    pub size_differs: Vec<u32>,
}

/// How the rows of a sheet make households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One row a person; a household is a head's row and those under it.
    PersonRows,
    /// One row a household, its members in one cell or not listed.
    HouseholdRows,
}

/// A column that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReading {
    /// The column's letters.
    pub column: String,
    /// The header as written.
    pub header: String,
    /// What it was taken for.
    pub meaning: Meaning,
}

/// A column that is not modelled, or that repeats one already read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// The column's letters.
    pub column: String,
    /// The header as written, empty where it has none.
    pub header: String,
    /// Cells with a value in rows of households.
    pub cells: u32,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The household's number in this sheet.
    Number,
    /// A running number: of households or of rows, which the rows decide.
    Serial,
    /// The village group.
    Group,
    /// The door or address.
    Address,
    /// The name of the row's person.
    Name,
    /// The name of the household's head.
    HeadName,
    /// The relation to the head.
    Relation,
    /// The sex.
    Sex,
    /// The birth date, or year and month.
    Birth,
    /// The row's person's identity number.
    IdNumber,
    /// The head's identity number.
    HeadIdNumber,
    /// The row's person's phone.
    Phone,
    /// The head's phone.
    HeadPhone,
    /// A list of care words.
    Care,
    /// Yes or no for one care tag (`是否低保`).
    CareFlag(Care),
    /// A remark.
    Remark,
    /// Whether they live here.
    Residence,
    /// Whether the row's person works away.
    Away,
    /// All members in one cell.
    Members,
    /// How many people the household says it has; checked, not kept.
    Size,
}

/// One household as the roster tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterHousehold {
    /// The sheet it stands in.
    pub sheet: String,
    /// Its first row as the spreadsheet counts it.
    pub row: u32,
    /// The household number of this sheet: a field, never an identity.
    pub number: Option<String>,
    /// The village group.
    pub group: Option<u16>,
    /// The house number without the group, or the address as typed where it holds none.
    pub door: String,
    /// The head's phone, normalised.
    pub phone: Option<String>,
    /// Whether and how they live here.
    pub residence: Option<Residence>,
    /// What the remark column says of the household.
    pub note: String,
    /// The people, the head first; empty for an address where nobody is listed.
    pub members: Vec<RosterMember>,
}

/// One person as the roster tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterMember {
    /// The name without gaps; empty where the roster has none (it is in the refused list).
    pub name: String,
    /// The relation to the head, GB/T 4761.
    pub relation: Option<String>,
    /// The sex, GB/T 2261.1: from the identity number, otherwise from its column.
    pub sex: Option<u8>,
    /// Birth year and month: from the identity number, otherwise from their column.
    pub birth: Option<(u16, u8)>,
    /// The identity number, for keyed hashing; never written out.
    #[serde(skip)]
    pub id_number: Option<IdNumber>,
    /// The phone, normalised.
    pub phone: Option<String>,
    /// The care tags given to this person.
    pub care: Vec<Care>,
    /// Whether they work away (外出务工).
    pub away: bool,
    /// What the remark column says of the person.
    pub note: String,
}

/// Whether a household lives where it is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Residence {
    /// 常住: they live here.
    Resident,
    /// 整户外出: the whole household is away.
    Away,
    /// 空房: the house is empty.
    #[serde(rename = "empty")]
    Vacant,
    /// 迁出: they moved out.
    MovedOut,
}

/// A value that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The sheet's name.
    pub sheet: String,
    /// The cell as spreadsheets name it, `G17`.
    pub cell: String,
    /// The value as typed, for the importer's eyes only; identity numbers show three and two characters.
    pub value: String,
    /// Why.
    pub reason: Reason,
}

/// Why a value was not taken; the snake-case names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The identity number's check character is wrong.
    IdChecksum,
    /// The identity number has not 18 characters.
    IdLength,
    /// The identity number is one of fifteen digits.
    IdFifteenDigits,
    /// The identity number holds something other than digits.
    IdCharacters,
    /// The birth date inside the identity number does not exist.
    IdDate,
    /// The spreadsheet has dropped the identity number's last digits.
    IdRounded,
    /// Not a phone number.
    Phone,
    /// A second phone number in one cell: one is kept.
    PhoneSecond,
    /// Not a known family relation.
    Relation,
    /// Not a known care word.
    Care,
    /// A care tag that fits nobody in the household.
    CareNobody,
    /// Not a known way of living here.
    Residence,
    /// A row of a person or household without a name; the cell is where it should be.
    NameMissing,
    /// A name that cannot be one (mostly digits).
    Name,
    /// Not a birth year and month.
    Birth,
    /// The birth differs from the identity number's, which is taken.
    BirthDiffers,
    /// Not a sex.
    Sex,
    /// The sex differs from the identity number's, which is taken.
    SexDiffers,
    /// Not a village group.
    Group,
    /// The group differs from the one already read for this household, which is kept.
    GroupDiffers,
    /// A door that the spreadsheet has turned into a date (`3-12`).
    AddressDate,
    /// The address differs from the one already read for this household, which is kept.
    AddressDiffers,
    /// A part of a member's entry that is neither name, relation, number nor phone.
    MemberPart,
    /// A formula that failed.
    CellError,
    /// A remark with an identity number in it, or a part of one.
    NoteIdNumber,
    /// A remark with a bank card's number in it.
    NoteBankCard,
    /// A remark with a word this tool must not hold.
    NoteWord,
}

/// Why a file gives no roster at all.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be opened or read.
    #[error("the file cannot be read")]
    Unreadable {
        /// What the system says.
        source: std::io::Error,
    },
    /// Neither a workbook nor a table in text form.
    #[error("this is not a spreadsheet (.xlsx, .xls, .ods or .csv), or it is damaged")]
    NotASpreadsheet,
    /// No sheet has a row that says what its columns are.
    #[error("no sheet has a row of headings")]
    NoHeadings,
    /// A workbook under a password: save it without one.
    #[error("the workbook is protected by a password")]
    Protected,
    /// A workbook with a sheet that does not read: save it anew.
    #[error("the sheet {sheet} is damaged")]
    Damaged {
        /// The sheet's name.
        sheet: String,
    },
    /// More than one file may hold: divide it.
    #[error("the file is larger than {file_bytes_max} bytes or {cells_max} cells")]
    TooLarge {
        /// The limit of the file, in bytes.
        file_bytes_max: u64,
        /// The limit of cells with a value.
        cells_max: usize,
    },
}

impl Meaning {
    /// Returns the stable name of the meaning.
    pub fn code(self) -> &'static str {
        match self {
            Meaning::Number => "number",
            Meaning::Serial => "serial",
            Meaning::Group => "group",
            Meaning::Address => "address",
            Meaning::Name => "name",
            Meaning::HeadName => "head_name",
            Meaning::Relation => "relation",
            Meaning::Sex => "sex",
            Meaning::Birth => "birth",
            Meaning::IdNumber => "id_number",
            Meaning::HeadIdNumber => "head_id_number",
            Meaning::Phone => "phone",
            Meaning::HeadPhone => "head_phone",
            Meaning::Care => "care",
            Meaning::CareFlag(tag) => tag.code(),
            Meaning::Remark => "remark",
            Meaning::Residence => "residence",
            Meaning::Away => "away",
            Meaning::Members => "members",
            Meaning::Size => "size",
        }
    }
}

impl Serialize for Meaning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl From<IdError> for Reason {
    fn from(error: IdError) -> Reason {
        match error {
            IdError::FifteenDigits => Reason::IdFifteenDigits,
            IdError::Length { .. } => Reason::IdLength,
            IdError::Characters => Reason::IdCharacters,
            IdError::Rounded => Reason::IdRounded,
            IdError::Date => Reason::IdDate,
            IdError::Checksum => Reason::IdChecksum,
        }
    }
}

impl Reason {
    /// Says whether the refused value is an identity number, which is shown only in part.
    pub fn is_about_an_id(self) -> bool {
        matches!(
            self,
            Reason::IdChecksum
                | Reason::IdLength
                | Reason::IdFifteenDigits
                | Reason::IdCharacters
                | Reason::IdDate
                | Reason::IdRounded
        )
    }
}
