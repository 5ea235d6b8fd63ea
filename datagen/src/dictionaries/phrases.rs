//! What is said in a call, in Vietnamese: phrases of the bot and of the customer, by the kind of the call.
//!
//! A phrase has marks that each use fills in: `%n` the customer's whole name, `%h` how the customer is addressed
//! (anh, chị), `%g` that with the given name, `%w` the company that calls, `%m` an amount of money, `%d` a day, `%t` a
//! time of day, `%c` the number of a contract, `%b` a number of 2 to 60, `%p` a percentage.

/// The first words of the bot, by the kind of the call: campaign, direct, callback.
pub(crate) const GREETINGS: [[&str; 3]; 3] = [
    [
        "Dạ em chào %h, em là trợ lý ảo gọi từ %w. Cho em hỏi có phải em đang nói chuyện với %h %n không ạ?",
        "Dạ em xin chào %g, em gọi đến từ %w về chương trình ưu đãi tháng này. Hiện tại %h có tiện nghe máy không ạ?",
        "Xin chào %h %n, em là tổng đài tự động của %w. Em xin phép trao đổi với %h khoảng hai phút ạ.",
    ],
    [
        "Dạ %w xin nghe, em có thể hỗ trợ gì cho %h ạ?",
        "Cảm ơn %h đã liên hệ tổng đài %w. Em đang thấy hồ sơ mang tên %n, đúng không ạ?",
        "Dạ em chào %g, em là nhân viên hỗ trợ của %w, mã hồ sơ của mình là %c phải không ạ?",
    ],
    [
        "Dạ em chào %h %n, lúc %t ngày %d em có gọi mà %h chưa nghe máy, nên em xin phép gọi lại ạ.",
        "Em chào %g ạ, %w gọi lại theo lịch hẹn lúc %t của mình.",
        "Dạ %w đây ạ, em thấy có cuộc gọi nhỡ từ số của %h ngày %d nên em gọi lại để hỗ trợ.",
    ],
];

/// What the bot says in the middle, by the kind of the call.
pub(crate) const BOT: [[&str; 13]; 3] = [
    [
        "Dạ bên em đang có gói vay %m với lãi suất chỉ %p một năm, thủ tục hoàn tất trong ngày ạ.",
        "Chương trình này áp dụng đến hết ngày %d, %h tham gia sớm sẽ được giảm thêm %p phí ban đầu.",
        "Em thấy khoản thanh toán %m của hợp đồng %c sẽ đến hạn vào ngày %d ạ.",
        "Với thẻ hạng mới, %h được hoàn tiền %p cho mọi giao dịch trực tuyến và miễn phí thường niên %b tháng.",
        "Cho em hỏi mức độ hài lòng của %h về dịch vụ vừa qua, theo thang điểm từ một đến mười ạ?",
        "Hợp đồng %c của mình còn hiệu lực %b tháng, nếu gia hạn trước ngày %d thì phí chỉ còn %m ạ.",
        "Dạ nếu trả góp trong %b tháng thì mỗi tháng %h chỉ đóng khoảng %m thôi ạ.",
        "Em xin phép gửi thông tin chi tiết qua tin nhắn, %h xem giúp em đường dẫn trước %t ngày %d nhé.",
        "Bên em tổ chức buổi tri ân khách hàng lúc %t ngày %d, em mời %g tham dự ạ.",
        "Để kích hoạt tài khoản, %h chỉ cần xác nhận mã %c gửi về điện thoại của mình ạ.",
        "Ưu đãi này dành riêng cho khách hàng thân thiết đã sử dụng dịch vụ trên %b tháng như mình ạ.",
        "Dạ phần bảo hiểm đi kèm có mức bồi thường lên đến %m và không cần khám sức khỏe ban đầu.",
        "Em ghi nhận mình đang cân nhắc, vậy em xin hẹn gọi lại vào %t ngày %d được không ạ?",
    ],
    [
        "Dạ em đã kiểm tra, giao dịch %m lúc %t ngày %d đã được ghi nhận thành công ạ.",
        "Em xin phép xác minh thông tin, %h vui lòng đọc giúp em sáu số cuối của mã %c ạ.",
        "Theo hệ thống, dư nợ hiện tại của mình là %m, hạn thanh toán gần nhất là ngày %d.",
        "Em đã tạo yêu cầu hỗ trợ số %c, bộ phận kỹ thuật sẽ phản hồi trước %t ngày %d ạ.",
        "Dạ em rất xin lỗi vì sự bất tiện này, em sẽ chuyển phản ánh của %h đến người phụ trách ngay.",
        "Mình có thể thay đổi gói cước ngay hôm nay, phần chênh lệch %m sẽ được cộng vào kỳ sau ạ.",
        "Dạ phí này phát sinh do thanh toán chậm quá %b ngày theo điều khoản của hợp đồng %c.",
        "Em có thể hoàn lại %m vào tài khoản của %h trong vòng %b ngày làm việc ạ.",
        "%h chờ máy giúp em một chút, em đang tra cứu lịch sử từ ngày %d ạ.",
        "Dạ địa chỉ chi nhánh gần nhất em sẽ nhắn cho mình, giờ làm việc đến %t hằng ngày ạ.",
        "Em đã cập nhật số điện thoại và địa chỉ mới cho hồ sơ %c rồi ạ.",
        "Với yêu cầu này, %h cần mang theo căn cước công dân và bản gốc hợp đồng %c ạ.",
        "Lãi suất hiện áp dụng cho mình là %p, kỳ điều chỉnh tiếp theo là ngày %d ạ.",
    ],
    [
        "Dạ lần trước mình có hỏi về khoản %m, em đã có câu trả lời từ bộ phận thẩm định rồi ạ.",
        "Hồ sơ %c đã được duyệt ngày %d với hạn mức %m, em xin chúc mừng %h.",
        "Em gọi lại để xác nhận lịch hẹn lúc %t ngày %d tại văn phòng bên em ạ.",
        "Dạ phản ánh số %c của %h đã được xử lý xong, em xin phép báo lại kết quả.",
        "Mình còn thiếu bản sao kê %b tháng gần nhất, %h bổ sung giúp em trước ngày %d nhé.",
        "Em đã trao đổi với quản lý và bên em đồng ý giảm %p cho trường hợp của mình ạ.",
        "Lần trước cuộc gọi bị ngắt giữa chừng, em xin phép nói tiếp về phương án %b tháng ạ.",
        "Dạ báo giá mới là %m, đã bao gồm thuế và phí lắp đặt ạ.",
        "Nếu %t ngày %d chưa tiện thì em xin đổi lịch sang buổi khác cho %g ạ.",
        "Em đã gửi lại đường dẫn xác nhận vào hộp thư, %h kiểm tra giúp em mã %c nhé.",
        "Dạ đơn hàng %c dự kiến giao vào %t ngày %d, phí thu hộ là %m ạ.",
        "Theo ghi chú thì mình muốn được tư vấn thêm về kỳ hạn %b tháng, đúng không ạ?",
        "Em xin xác nhận lại là %h đồng ý với mức lãi %p và kỳ thanh toán ngày %d ạ.",
    ],
];

/// What customers say in any call.
pub(crate) const CUSTOMER: [&str; 18] = [
    "Ừ, %h nghe đây, em nói đi.",
    "Vâng, đúng rồi em.",
    "Khoan, em nói chậm lại một chút, chỗ này ồn quá.",
    "Thế tổng cộng là bao nhiêu, %m đúng không?",
    "Để %h xem lại đã, hôm nay %h đang bận họp đến %t.",
    "Em gửi thông tin qua Zalo cho %h nhé.",
    "Alo, em nói lại giúp %h được không, máy chập chờn quá.",
    "Ừ, thế cũng được.",
    "Tối qua khoảng %t cũng có người gọi cho %h về việc này rồi.",
    "%h chưa hiểu lắm, em giải thích kỹ hơn đi.",
    "Có phải trả thêm phí gì nữa không em?",
    "Được rồi, %h ghi lại rồi, ngày %d đúng không?",
    "Thôi để %h bàn lại với gia đình rồi báo em sau.",
    "Vậy hả, %h không biết là có quy định đó.",
    "Ờ, mà sao bên em gọi nhiều thế?",
    "Cảm ơn em, nói tiếp đi.",
    "Số này là số riêng của %h, lần sau em gọi sau %t nhé.",
    "Đúng rồi, %n là tên trên hợp đồng.",
];

/// What customers say, by the kind of the call.
pub(crate) const CUSTOMER_OF: [[&str; 8]; 3] = [
    [
        "Lãi %p là tính theo dư nợ giảm dần hay cố định vậy em?",
        "%h đang có khoản vay %m ở chỗ khác rồi, không có nhu cầu đâu.",
        "Nghe cũng hấp dẫn đấy, thế cần giấy tờ gì?",
        "Trả góp %b tháng thì mỗi tháng phải đóng chính xác bao nhiêu?",
        "Nếu trả trước hạn thì phạt bao nhiêu phần trăm, có phải %p không?",
        "Chương trình này đến ngày %d là hết thật à?",
        "%h chấm tám điểm, nhân viên nhiệt tình nhưng chờ hơi lâu.",
        "Em đăng ký cho %h đi, lấy gói %b tháng.",
    ],
    [
        "Sao tài khoản của %h bị trừ %m hôm ngày %d vậy em?",
        "%h muốn đổi số điện thoại nhận mã xác nhận.",
        "Ứng dụng báo lỗi từ %t đến giờ, %h không đăng nhập được.",
        "Hợp đồng %c của %h bao giờ thì tất toán được?",
        "Em kiểm tra giúp %h xem đã nhận được %m chưa.",
        "%h chờ %b ngày rồi mà chưa thấy ai liên hệ lại.",
        "Thế %h phải ra chi nhánh nào để làm lại giấy tờ?",
        "Cho %h gặp người quản lý được không, việc này %h phản ánh lần thứ ba rồi.",
    ],
    [
        "À ừ, lúc đó %h đang lái xe nên không nghe máy được.",
        "Thế kết quả hồ sơ %c của %h sao rồi em?",
        "Dời lịch sang %t ngày %d cho %h nhé.",
        "%h gửi bổ sung giấy tờ từ ngày %d rồi, em xem lại đi.",
        "Lần trước em hứa giảm %p, giờ có áp dụng không?",
        "Ừ, %h vẫn quan tâm, em nói tiếp phần hôm trước đi.",
        "%h đổi ý rồi, lấy kỳ hạn %b tháng thôi.",
        "Giá %m đó đã có thuế chưa em?",
    ],
];

/// The last words of the bot.
pub(crate) const FAREWELLS: [&str; 4] = [
    "Dạ em cảm ơn %g đã dành thời gian, em chúc %h một ngày tốt lành ạ.",
    "Vậy em xin phép kết thúc cuộc gọi, cần hỗ trợ thêm %h cứ liên hệ lại tổng đài nhé ạ.",
    "Dạ em đã ghi nhận hết rồi ạ, em chào %h.",
    "Em cảm ơn %h %n nhiều ạ, hẹn gặp lại mình vào ngày %d.",
];

/// What a summary begins with, by the kind of the call.
pub(crate) const SUMMARY_OF: [[&str; 4]; 3] = [
    [
        "Gọi %h %n theo chiến dịch để giới thiệu gói vay %m, lãi suất %p một năm.",
        "Nhắc %h %n về khoản thanh toán %m của hợp đồng %c đến hạn ngày %d.",
        "Khảo sát %h %n sau %b tháng sử dụng dịch vụ, mã khảo sát %c.",
        "Mời %h %n gia hạn hợp đồng %c trước ngày %d với ưu đãi %p.",
    ],
    [
        "Trao đổi trực tiếp với %h %n về giao dịch %m lúc %t ngày %d.",
        "Hỗ trợ %h %n cập nhật hồ sơ %c và giải thích khoản phí %m.",
        "Tiếp nhận phản ánh của %h %n về hợp đồng %c, số tiền %m.",
        "Tư vấn cho %h %n phương án trả góp %b tháng, lãi suất %p.",
    ],
    [
        "Gọi lại cho %h %n vì cuộc gọi lúc %t ngày %d bị nhỡ, hồ sơ %c.",
        "Gọi lại để xác nhận lịch hẹn %t ngày %d với %h %n.",
        "Báo kết quả hồ sơ %c cho %h %n: được duyệt hạn mức %m.",
        "Gọi lại cho %h %n về báo giá %m, kỳ hạn %b tháng.",
    ],
];

/// How a summary goes on.
pub(crate) const SUMMARY_MIDDLE: [&str; 6] = [
    "Khách quan tâm nhưng muốn bàn lại với gia đình.",
    "Khách đồng ý và đề nghị gửi chi tiết qua Zalo.",
    "Khách phàn nàn vì bị gọi nhiều lần trong tuần.",
    "Khách hỏi kỹ về phí phạt và điều kiện tất toán.",
    "Khách đang bận, chỉ nghe phần giới thiệu chính.",
    "Khách hài lòng với cách hỗ trợ của nhân viên.",
];

/// How a summary ends.
pub(crate) const SUMMARY_END: [&str; 5] = [
    "Hẹn gọi lại lúc %t ngày %d.",
    "Đã gửi tin nhắn kèm mã %c.",
    "Chuyển bộ phận phụ trách, phản hồi trước ngày %d.",
    "Không cần gọi lại trong %b tháng tới.",
    "Đã cập nhật ghi chú vào hồ sơ %c.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_a_known_one_and_no_phrase_occurs_twice() {
        let all = GREETINGS.iter().flatten().chain(BOT.iter().flatten()).chain(&CUSTOMER);
        let all = all.chain(CUSTOMER_OF.iter().flatten()).chain(&FAREWELLS);
        let all = all.chain(SUMMARY_OF.iter().flatten()).chain(&SUMMARY_MIDDLE).chain(&SUMMARY_END);
        let mut seen = std::collections::HashSet::new();
        for phrase in all {
            for mark in phrase.split('%').skip(1) {
                assert!(mark.starts_with(['n', 'h', 'g', 'w', 'm', 'd', 't', 'c', 'b', 'p']), "{phrase}");
            }
            assert!(seen.insert(phrase), "{phrase}");
        }
    }
}
