//! Words of Vietnam: names, carriers, places.
//!
//! `fake` has no Vietnamese locale in a release, and no weights; Vietnamese surnames are far from even (the commonly
//! cited share of Nguyễn is 38 %), and that decides how selective a search by name is.

/// Surnames with their share of the population in tenths of a percent; the commonly cited figures.
pub(super) const SURNAMES: [(&str, u64); 22] = [
    ("Nguyễn", 384),
    ("Trần", 121),
    ("Lê", 95),
    ("Phạm", 70),
    ("Hoàng", 51),
    ("Phan", 45),
    ("Vũ", 39),
    ("Đặng", 21),
    ("Bùi", 20),
    ("Đỗ", 14),
    ("Hồ", 13),
    ("Ngô", 13),
    ("Dương", 10),
    ("Lý", 5),
    ("Đinh", 12),
    ("Trịnh", 11),
    ("Mai", 11),
    ("Trương", 14),
    ("Lâm", 9),
    ("Đoàn", 10),
    ("Huỳnh", 26),
    ("Võ", 16),
];

/// Middle names of men, then of women.
pub(super) const MIDDLE_NAMES: [[&str; 12]; 2] = [
    ["Văn", "Văn", "Văn", "Đức", "Hữu", "Minh", "Quang", "Công", "Thành", "Xuân", "Ngọc", "Đình"],
    ["Thị", "Thị", "Thị", "Thị Thu", "Thị Ngọc", "Thị Kim", "Ngọc", "Thu", "Minh", "Thanh", "Phương", "Bích"],
];

/// Given names of men, then of women.
pub(super) const GIVEN_NAMES: [[&str; 32]; 2] = [
    [
        "Anh", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Đức", "Giang", "Hải", "Hiếu", "Hoàng", "Hùng", "Huy",
        "Khánh", "Khoa", "Kiên", "Lâm", "Long", "Minh", "Nam", "Nghĩa", "Phong", "Phúc", "Quân", "Quang",
        "Sơn", "Tài", "Thắng", "Thành", "Tiến", "Tuấn", "Việt",
    ],
    [
        "Anh", "Chi", "Diệp", "Dung", "Giang", "Hà", "Hạnh", "Hằng", "Hiền", "Hoa", "Hồng", "Huệ", "Hương",
        "Khánh", "Lan", "Liên", "Linh", "Loan", "Mai", "My", "Nga", "Ngân", "Ngọc", "Nhung", "Oanh",
        "Phương", "Quỳnh", "Thảo", "Thủy", "Trang", "Vân", "Yến",
    ],
];

/// A mobile carrier, its prefixes since 2018, and its share in per mille.
pub(super) struct Carrier {
    pub(super) name: &'static str,
    pub(super) prefixes: &'static [&'static str],
    pub(super) per_mille: u64,
}

/// Viettel, `MobiFone` and `VinaPhone` by their subscribers of 2016 (63, 34 and 25 of 132 million); Gmobile is rare.
pub(super) const CARRIERS: [Carrier; 5] = [
    Carrier {
        name: "Viettel",
        prefixes: &["032", "033", "034", "035", "036", "037", "038", "039", "086", "096", "097", "098"],
        per_mille: 480,
    },
    Carrier {
        name: "MobiFone",
        prefixes: &["070", "076", "077", "078", "079", "089", "090", "093"],
        per_mille: 258,
    },
    Carrier {
        name: "VinaPhone",
        prefixes: &["081", "082", "083", "084", "085", "088", "091", "094"],
        per_mille: 190,
    },
    Carrier { name: "Vietnamobile", prefixes: &["052", "056", "058", "092"], per_mille: 68 },
    Carrier { name: "Gmobile", prefixes: &["059", "099"], per_mille: 4 },
];

/// Cities, most populous first. Hanoi stands without its diacritics, as people type it.
pub(super) const CITIES: [(&str, u64); 12] = [
    ("Ho Chi Minh City", 300),
    ("Hanoi", 260),
    ("Hải Phòng", 80),
    ("Cần Thơ", 60),
    ("Đà Nẵng", 90),
    ("Biên Hòa", 60),
    ("Huế", 40),
    ("Nha Trang", 35),
    ("Buôn Ma Thuột", 25),
    ("Vũng Tàu", 25),
    ("Đà Lạt", 20),
    ("Cao Bằng", 5),
];

/// Streets that many towns have.
pub(super) const STREETS: [&str; 16] = [
    "Lê Lợi",
    "Trần Hưng Đạo",
    "Nguyễn Huệ",
    "Hai Bà Trưng",
    "Lý Thường Kiệt",
    "Nguyễn Trãi",
    "Quang Trung",
    "Phan Chu Trinh",
    "Điện Biên Phủ",
    "Cách Mạng Tháng Tám",
    "Võ Văn Tần",
    "Nguyễn Thị Minh Khai",
    "Pasteur",
    "Bạch Đằng",
    "Hoàng Diệu",
    "Lê Duẩn",
];

/// Names of labels. Their number is prime, so that any stride visits all of them.
pub(super) const LABELS: [&str; 37] = [
    "VIP",
    "Khách hàng mới",
    "Khách quen",
    "Quan tâm",
    "Tiềm năng",
    "Gọi lại",
    "Hẹn buổi sáng",
    "Hẹn buổi chiều",
    "Hẹn cuối tuần",
    "Không nghe máy",
    "Thuê bao",
    "Sai số",
    "Đã chốt đơn",
    "Đang cân nhắc",
    "Chờ báo giá",
    "Đã gửi báo giá",
    "Khiếu nại",
    "Nợ quá hạn",
    "Nhắc nợ lần 1",
    "Nhắc nợ lần 2",
    "Bảo hiểm nhân thọ",
    "Bảo hiểm xe",
    "Vay tiêu dùng",
    "Vay mua nhà",
    "Thẻ tín dụng",
    "Tiết kiệm",
    "Bất động sản",
    "Giáo dục",
    "Du lịch",
    "Sức khỏe",
    "Miền Bắc",
    "Miền Trung",
    "Miền Nam",
    "Zalo",
    "Facebook",
    "Giới thiệu",
    "Ưu tiên",
];

/// What campaigns are about.
pub(super) const CAMPAIGN_THEMES: [&str; 10] = [
    "Chăm sóc khách hàng",
    "Khảo sát hài lòng",
    "Nhắc lịch thanh toán",
    "Ưu đãi thẻ tín dụng",
    "Gia hạn hợp đồng",
    "Tri ân khách hàng",
    "Giới thiệu sản phẩm mới",
    "Kích hoạt tài khoản",
    "Vay tiêu dùng",
    "Mời tham dự sự kiện",
];

/// The letters of `text` without diacritics, in lower case; all else falls away. For the local part of an address.
pub(super) fn ascii_letters(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'a'..='z' => Some(letter),
            'à' | 'á' | 'ả' | 'ã' | 'ạ' | 'ă' | 'ằ' | 'ắ' | 'ẳ' | 'ẵ' | 'ặ' | 'â' | 'ầ' | 'ấ' | 'ẩ' | 'ẫ'
            | 'ậ' => Some('a'),
            'đ' => Some('d'),
            'è' | 'é' | 'ẻ' | 'ẽ' | 'ẹ' | 'ê' | 'ề' | 'ế' | 'ể' | 'ễ' | 'ệ' => Some('e'),
            'ì' | 'í' | 'ỉ' | 'ĩ' | 'ị' => Some('i'),
            'ò' | 'ó' | 'ỏ' | 'õ' | 'ọ' | 'ô' | 'ồ' | 'ố' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ờ' | 'ớ' | 'ở' | 'ỡ'
            | 'ợ' => Some('o'),
            'ù' | 'ú' | 'ủ' | 'ũ' | 'ụ' | 'ư' | 'ừ' | 'ứ' | 'ử' | 'ữ' | 'ự' => Some('u'),
            'ỳ' | 'ý' | 'ỷ' | 'ỹ' | 'ỵ' => Some('y'),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_letters_for_an_address() {
        let given = GIVEN_NAMES.iter().flatten().copied();
        for name in SURNAMES.iter().map(|&(name, _)| name).chain(given) {
            assert_eq!(ascii_letters(name).len(), name.chars().count(), "{name}");
        }
        assert_eq!(ascii_letters("Nguyễn Đức"), "nguyenduc");
    }

    #[test]
    fn shares_of_carriers_sum_to_the_whole() {
        assert_eq!(CARRIERS.iter().map(|carrier| carrier.per_mille).sum::<u64>(), 1_000);
    }
}
