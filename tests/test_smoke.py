def test_a_report_becomes_a_dispatched_ticket(office):
    reply = office.say("r1", "阳光小区3号楼2单元楼道灯坏了")
    (ticket,) = office.tickets()
    assert ticket.number in reply and ticket.state == "dispatched"
    assert [push.role for push in office.pushes(purpose="task")] == ["staff"]
